//! The guest `attacks` with changes in its bytes, so that it is another one with classes of its own.
//!
//! Not here: components with core modules added (`tombolo_guests::modules`).

/// Where the guest `attacks` keeps its number.
const NUMBER: &[u8] = b"number: 0000";

/// The guest `attacks` with a number of its own, which its classes have in their names.
pub fn numbered(number: u16) -> Vec<u8> {
    let name = format!("number: {number:04}");
    replaced(tombolo_guests::ATTACKS, NUMBER, name.as_bytes())
}

/// Its bytes with some of them replaced by as many others.
pub fn replaced(component: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let places: Vec<usize> = bytes
        .windows(old.len())
        .enumerate()
        .filter(|(_, window)| *window == old)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        if let Some(place) = bytes.get_mut(at..at + new.len()) {
            place.copy_from_slice(new);
        }
    }
    bytes
}
