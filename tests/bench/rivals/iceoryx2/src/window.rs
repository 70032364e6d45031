//! A process's seat in the harness's window: window.hpp, from Rust.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::work::Work;

const SEATS: usize = 64;
const SEAT: usize = 65536;
const FINE: u32 = 7; // bits of a duration that its class keeps
const CLASSES: usize = (40 - FINE as usize) << FINE;

/// Words of a seat, by their offset.
#[derive(Clone, Copy)]
pub enum Word {
    Ready = 0,
    Done = 4,
    Failed = 8,
    Wrong = 12,
    Began = 16,
    Ended = 24,
    Sent = 32,
    Stamp = 128,
    Transit = 136,
    Failure = 192,
    Histogram = 512,
}

pub struct Seat {
    all: *mut u8,
    number: usize,
    producers: usize,
    current: u32,
    nanoseconds_per_tick: f64,
}

pub fn ticks() -> u64 {
    let mut core = 0;
    // SAFETY: every processor this is built for has it.
    unsafe { std::arch::x86_64::__rdtscp(&mut core) }
}

pub fn monotonic() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is there to be written.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn measure_tick() -> f64 {
    let (first, begin) = (ticks(), monotonic());
    sleep(Duration::from_millis(20));
    let (last, end) = (ticks(), monotonic());
    (end - begin) as f64 / (last - first) as f64
}

impl Seat {
    pub fn new(work: &Work) -> Seat {
        let file = OpenOptions::new().read(true).write(true).open(&work.window).expect("the window");
        // SAFETY: a new mapping, of a file that is as large as the harness made it.
        let all = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                SEATS + 8 * SEAT,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert_ne!(all, libc::MAP_FAILED, "the window cannot be mapped");
        Seat {
            all: all.cast(),
            number: work.seat,
            producers: work.producers,
            current: 0,
            nanoseconds_per_tick: measure_tick(),
        }
    }

    fn at(&self, seat: usize, word: Word) -> *mut u8 {
        // SAFETY: within the mapping: there are eight seats.
        unsafe { self.all.add(SEATS + seat * SEAT + word as usize) }
    }
    fn narrow(&self, seat: usize, word: Word) -> &AtomicU32 {
        // SAFETY: within the mapping, aligned, and atomic for all who look at it.
        unsafe { &*self.at(seat, word).cast() }
    }
    fn wide(&self, seat: usize, word: Word) -> &AtomicU64 {
        // SAFETY: as in `narrow`.
        unsafe { &*self.at(seat, word).cast() }
    }
    fn of_all(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: as in `narrow`.
        unsafe { &*self.all.add(offset).cast() }
    }

    pub fn set(&self, word: Word, value: u64) {
        self.wide(self.number, word).store(value, Ordering::Release);
    }
    pub fn of_other(&self, word: Word) -> u64 {
        self.wide(1 - self.number, word).load(Ordering::Acquire)
    }

    /// Naps until the next window begins. False: there is none.
    pub fn next_window(&mut self) -> bool {
        if self.current == 0 {
            pin(if self.number < self.producers { 0 } else { 1 });
            self.narrow(self.number, Word::Ready).store(1, Ordering::Release);
        }
        while self.of_all(0).load(Ordering::Acquire) == self.current {
            if self.of_all(8).load(Ordering::Acquire) != 0 {
                return false;
            }
            sleep(Duration::from_micros(100));
        }
        self.current = self.of_all(0).load(Ordering::Acquire);
        // SAFETY: the histogram is this process's alone while a window lasts.
        unsafe { self.at(self.number, Word::Histogram).write_bytes(0, 8 * CLASSES) };
        true
    }

    pub fn stopping(&self) -> bool {
        self.of_all(4).load(Ordering::Relaxed) >= self.current
    }

    pub fn drained(&self, received: u64) -> bool {
        let mut sent = 0;
        for seat in 0..self.producers {
            if self.narrow(seat, Word::Done).load(Ordering::Acquire) != self.current {
                return false;
            }
            sent += self.wide(seat, Word::Sent).load(Ordering::Relaxed);
        }
        received == sent
    }

    pub fn began(&self) {
        self.set(Word::Began, monotonic());
    }
    /// The window's last message was sent or received `since` ticks ago.
    pub fn finish(&self, since: u64) {
        self.set(Word::Ended, monotonic() - self.nanoseconds(since));
        self.narrow(self.number, Word::Done).store(self.current, Ordering::Release);
    }

    pub fn nanoseconds(&self, ticks: u64) -> u64 {
        (ticks as f64 * self.nanoseconds_per_tick) as u64
    }
    pub fn add(&self, ticks: u64) {
        let value = self.nanoseconds(ticks);
        let class = if value < 2 << FINE {
            value as usize
        } else {
            let coarse = 63 - value.leading_zeros() - FINE;
            (((coarse as usize) << FINE) + (value >> coarse) as usize).min(CLASSES - 1)
        };
        // SAFETY: a class of the histogram, which is this process's alone.
        unsafe { *self.at(self.number, Word::Histogram).cast::<u64>().add(class) += 1 };
    }

    /// Ends the process; `wrong`: what was received is not what was sent.
    pub fn fail(&self, why: &str, wrong: bool) -> ! {
        let length = why.len().min(319);
        // SAFETY: there is room for 320 bytes.
        unsafe { self.at(self.number, Word::Failure).copy_from(why.as_ptr(), length) };
        self.narrow(self.number, Word::Wrong).store(wrong as u32, Ordering::Release);
        self.narrow(self.number, Word::Failed).store(1, Ordering::Release);
        std::process::exit(1)
    }
}

fn pin(core: usize) {
    // SAFETY: a set of its own.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, std::mem::size_of_val(&set), &set);
    }
}
