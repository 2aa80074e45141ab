//! The child process that compiles: held to its limits before it reads anything, and ended with its answer.
//!
//! Not here: starting it, and what its end means (`compile`).

use std::io::{self, Read, Write};

use wasmtime::OutOfMemory;

use crate::check::COMPONENT_BYTES_MAX;
use crate::compile::confine::{Layers, confine};
use crate::engine;

/// Bytes before what was compiled: what it is, which layers hold, and how long it is.
pub(super) const HEAD_BYTES: usize = 10;

/// What came of a component.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// What was compiled.
    Compiled(Vec<u8>),
    /// Why it cannot be compiled.
    Invalid(String),
    /// There was not enough memory for it.
    NoMemory,
}

impl Answer {
    fn head(&self, layers: Layers) -> [u8; HEAD_BYTES] {
        let (kind, length) = match self {
            Self::Compiled(compiled) => (0, compiled.len()),
            Self::Invalid(why) => (1, why.len()),
            Self::NoMemory => (2, 0),
        };
        let mut head = [0; HEAD_BYTES];
        let [first, second, rest @ ..] = &mut head;
        (*first, *second) = (kind, layers.to_byte());
        rest.copy_from_slice(&(length as u64).to_le_bytes());
        head
    }

    fn write(&self, layers: Layers, mut to: impl Write) -> io::Result<()> {
        to.write_all(&self.head(layers))?;
        match self {
            Self::Compiled(compiled) => to.write_all(compiled)?,
            Self::Invalid(why) => to.write_all(why.as_bytes())?,
            Self::NoMemory => {}
        }
        to.flush()
    }

    /// None where it is not whole.
    pub(super) fn read(mut bytes: Vec<u8>) -> Option<(Self, Layers)> {
        if !is_whole(&bytes) {
            return None;
        }
        let (kind, layers) = (*bytes.first()?, Layers::of_byte(*bytes.get(1)?));
        bytes.drain(..HEAD_BYTES);
        let answer = match kind {
            0 => Self::Compiled(bytes),
            1 => Self::Invalid(String::from_utf8_lossy(&bytes).into_owned()),
            2 => Self::NoMemory,
            _ => return None,
        };
        Some((answer, layers))
    }
}

/// Whether an answer is there to its end, and nothing behind it.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let Some(([_, _, length @ ..], rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
        return false;
    };
    rest.len() as u64 == u64::from_le_bytes(*length)
}

/// What is said of a component that cannot be compiled.
pub(super) fn not_compiled(why: &str) -> String {
    format!("the component cannot be compiled: {why}")
}

/// Compiles the component on standard input, and answers on standard output, in the form that [`super::Compiler`] reads.
///
/// For a process of its own: it holds the whole process to the limits, and they cannot be lifted.
///
/// Errors: limits that cannot be set, an engine that does not start, pipes that are gone.
pub fn compile_child(cpu_seconds: u64, memory_max: u64) -> io::Result<()> {
    let engine = engine::compiling().map_err(io::Error::other)?;
    let layers = confine(cpu_seconds, memory_max)?;
    let mut component = Vec::new();
    io::stdin().lock().take(COMPONENT_BYTES_MAX as u64).read_to_end(&mut component)?;
    let answer = match engine.precompile_component(&component) {
        Ok(compiled) => Answer::Compiled(compiled),
        Err(error) if is_no_memory(&error) => Answer::NoMemory,
        Err(error) => Answer::Invalid(format!("{error:#}")),
    };
    answer.write(layers, io::stdout().lock())
}

fn is_no_memory(error: &wasmtime::Error) -> bool {
    error.is::<OutOfMemory>()
        || error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::OutOfMemory)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: Layers = Layers { seccomp: true, landlock: false };

    #[test]
    fn an_answer_is_read_back_whole_or_not_at_all() {
        let answers = [
            Answer::Compiled(vec![1, 2, 3]),
            Answer::Compiled(vec![]),
            Answer::Invalid("why".into()),
            Answer::NoMemory,
        ];
        for answer in answers {
            let mut bytes = Vec::new();
            answer.write(LAYERS, &mut bytes).unwrap();
            for cut in 0..bytes.len() {
                assert_eq!(Answer::read(bytes[..cut].to_vec()), None);
            }
            assert_eq!(Answer::read([&bytes[..], &[0]].concat()), None);
            assert_eq!(Answer::read(bytes), Some((answer, LAYERS)));
        }
        assert_eq!(Answer::read([&[3][..], &[0; 9]].concat()), None, "of no known kind");
    }
}
