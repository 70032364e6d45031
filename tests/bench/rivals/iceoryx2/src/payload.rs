//! Messages: payload.hpp, from Rust.

const ROWS: usize = 8;
const ROW: usize = 8; // words
pub const PRODUCER_SHIFT: u32 = 56;

pub struct Payload {
    words: usize,
    table: Vec<u64>,
    sums: [u64; ROWS],
}

impl Payload {
    pub fn new(size: usize) -> Payload {
        let words = size / 8;
        let mut value = 0x9e3779b97f4a7c15u64;
        let table: Vec<u64> = (0..words + ROWS * ROW)
            .map(|_| {
                value = value.wrapping_mul(0xd1342543de82ef95);
                value
            })
            .collect();
        let mut sums = [0u64; ROWS];
        for (row, sum) in sums.iter_mut().enumerate() {
            *sum = table[row * ROW + 1..row * ROW + words].iter().fold(0, |a, b| a.wrapping_add(*b));
        }
        Payload { words, table, sums }
    }

    /// `to` has room for a message, aligned to 8.
    pub fn write(&self, to: *mut u8, stamp: u64) {
        let from = &self.table[stamp as usize % ROWS * ROW..][..self.words];
        // SAFETY: what the caller promises.
        unsafe {
            to.cast::<u64>().copy_from_nonoverlapping(from.as_ptr(), self.words);
            *to.cast::<u64>() = stamp;
        }
    }
    /// The stamp, if this is the whole message.
    pub fn read(&self, from: *const u8) -> Option<u64> {
        // SAFETY: a message of this size was received.
        let words = unsafe { std::slice::from_raw_parts(from.cast::<u64>(), self.words) };
        let sum = words.iter().fold(0u64, |a, b| a.wrapping_add(*b));
        let stamp = words[0];
        (sum == self.sums[stamp as usize % ROWS].wrapping_add(stamp)).then_some(stamp)
    }
}
