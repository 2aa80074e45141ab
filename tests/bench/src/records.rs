//! The benchmark's records: JSON objects of 8 fields and some 187 bytes, each made from its number alone.
//!
//! Not here: what becomes of them on their way (`case`).

/// Gives each run the same records.
const SEED: u64 = 0x746f_6d62_6f6c_6f00;

/// Time of the first record, in milliseconds since 1970.
const FIRST_TIME: u64 = 1_763_800_000_000;

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its number.
    pub id: u64,
    /// A user, as `u339563`.
    pub user: String,
    /// Their address, as `user2471@example.org`.
    pub email: String,
    /// An amount with two decimals.
    pub amount: f64,
    /// A word of 60 letters.
    pub note: String,
}

impl Record {
    /// The record with this number.
    pub fn new(id: u64) -> Self {
        let mut random = Random(SEED ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let cents = 500 + random.below(99_500);
        Self {
            id,
            user: format!("u{}", 100_000 + random.below(900_000)),
            email: format!("user{}@example.org", 1_000 + random.below(9_000)),
            amount: f64::from(u32::try_from(cents).unwrap_or(0)) / 100.0,
            note: (0..60).map(|_| random.letter()).collect(),
        }
    }

    /// Its time, in milliseconds since 1970.
    pub fn time(&self) -> u64 {
        FIRST_TIME + self.id
    }

    /// The record as JSON.
    pub fn json(&self) -> String {
        let Self { id, user, email, amount, note } = self;
        let time = self.time();
        format!(
            "{{\"id\":{id},\"user\":\"{user}\",\"email\":\"{email}\",\"amount\":{amount:?},\"currency\":\"EUR\",\
             \"ts\":{time},\"note\":\"{note}\",\"ok\":true}}"
        )
    }
}

/// SplitMix64: small, and good enough to make every record another.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn letter(&mut self) -> char {
        char::from(b'a' + u8::try_from(self.below(26)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_record_is_made_from_its_number_alone() {
        assert_eq!(Record::new(7), Record::new(7));
        assert_ne!(Record::new(7).note, Record::new(8).note);
    }

    #[test]
    fn a_record_is_json_of_the_size_the_targets_speak_of() {
        for id in [0, 1, 1_234_567] {
            let json = Record::new(id).json();
            let value: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(value["id"], id);
            assert_eq!(value.as_object().unwrap().len(), 8);
            assert!((170..=195).contains(&json.len()), "{} bytes: {json}", json.len());
        }
    }
}
