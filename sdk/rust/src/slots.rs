//! The instances of one interface under the numbers that the host chose. Not here: what they do.

use crate::fault::{Fault, Result};

/// Instances by number. They are few, so a list is searched.
pub(crate) struct Slots<T: ?Sized>(Vec<(u32, Box<T>)>);

impl<T: ?Sized> Slots<T> {
    /// Keeps an instance under a number. Errors: the number is in use.
    pub(crate) fn put(&mut self, id: u32, instance: Box<T>) -> Result<()> {
        if self.0.iter().any(|(known, _)| *known == id) {
            return Err(Fault::fatal(format_args!("id {id} is in use")));
        }
        self.0.push((id, instance));
        Ok(())
    }

    /// The place of a number, good until the next `put` or `close`. Errors: it was never created, or is closed.
    pub(crate) fn place(&self, id: u32) -> Result<usize> {
        let place = self.0.iter().position(|(known, _)| *known == id);
        place.ok_or_else(|| Fault::fatal(format_args!("id {id} is not known")))
    }

    pub(crate) fn at(&self, place: usize) -> Option<&T> {
        self.0.get(place).map(|(_, instance)| &**instance)
    }

    pub(crate) fn at_mut(&mut self, place: usize) -> Option<&mut T> {
        self.0.get_mut(place).map(|(_, instance)| &mut **instance)
    }

    /// The instance under a number. Errors: as [`Slots::place`].
    pub(crate) fn get(&mut self, id: u32) -> Result<&mut T> {
        let place = self.place(id)?;
        self.at_mut(place).ok_or_else(|| Fault::fatal(format_args!("id {id} is not known")))
    }

    /// Ends an instance; one that is not there is no matter.
    pub(crate) fn close(&mut self, id: u32) {
        self.0.retain(|(known, _)| *known != id);
    }
}

impl<T: ?Sized> Default for Slots<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
