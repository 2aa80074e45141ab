//! The allocator, which is also where the host gets room for what it passes in: it may be told to misbehave with the next of that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, Ordering};

/// What the next allocation does.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Next {
    Allocates,
    Loops,
    CallsTheHost,
    AnswersElsewhere,
}

static NEXT: AtomicU8 = AtomicU8::new(Next::Allocates as u8);

/// Says what the next allocation shall do.
pub(crate) fn arm(next: Next) {
    NEXT.store(next as u8, Ordering::Relaxed);
}

struct Hostile;

#[global_allocator]
static ALLOCATOR: Hostile = Hostile;

/// Far outside of a small memory, and aligned.
const ELSEWHERE: usize = 0xffff_fff0;

#[expect(unsafe_code, reason = "an allocator, and a hostile one")]
// SAFETY: where it allocates it is the system's. Where it does not, its guest is lost, and is meant to be.
unsafe impl GlobalAlloc for Hostile {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let next = NEXT.swap(Next::Allocates as u8, Ordering::Relaxed);
        if next == Next::Loops as u8 {
            crate::cpu::spin();
        }
        if next == Next::CallsTheHost as u8 {
            crate::host_calls::note("from within an allocation");
        }
        if next == Next::AnswersElsewhere as u8 {
            return std::ptr::without_provenance_mut(ELSEWHERE);
        }
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}
