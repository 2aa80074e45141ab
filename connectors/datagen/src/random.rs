//! Random numbers that depend on a seed and a record's number alone, so that any record can be made without those before it.

/// Numbers for one record. SplitMix64 over the seed and the record's number.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// For this record.
    pub(crate) fn new(seed: i64, record: u64) -> Self {
        Self(mixed(mixed(seed.cast_unsigned()) ^ record))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `limit`, which is above 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The upper half of a product of 64 bits each: below the limit, and as evenly as 64 bits allow.
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// One of these, of which there is at least one.
    pub(crate) fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let place = self.below(words.len() as u64) as usize;
        words.get(place).copied().unwrap_or_default()
    }
}

fn mixed(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_depend_on_seed_and_record_and_stay_below_their_limit() {
        let numbers = |seed, record| {
            let mut random = Random::new(seed, record);
            (0..100).map(|_| random.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
        for number in 0..10 {
            assert!(numbers(1, 2).contains(&number), "{number}");
        }
    }
}
