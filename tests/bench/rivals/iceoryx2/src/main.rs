//! iceoryx2 for the bench: one of a work's processes, as play.hpp has it.

mod channel;
mod payload;
mod window;
mod work;

use channel::{In, Out};
use iceoryx2::prelude::*;
use payload::{Payload, PRODUCER_SHIFT};
use window::{ticks, Seat, Word};
use work::{Wait, Work};

struct Sending<'a> {
    payload: &'a Payload,
    out: Out,
    stamp: u64,
    sent: u64,
}

impl<'a> Sending<'a> {
    fn new(work: &Work, payload: &'a Payload, out: Out) -> Self {
        let producer = if work.produces() { work.seat } else { 0 };
        Sending { payload, out, stamp: (producer as u64) << PRODUCER_SHIFT, sent: 0 }
    }
    fn one(&mut self) {
        self.out.send(|to| self.payload.write(to, self.stamp));
        self.stamp += 1;
        self.sent += 1;
    }
}

struct Receiving<'a> {
    payload: &'a Payload,
    inlet: In,
    size: usize,
    expected: [u64; 8],
    received: u64,
}

impl<'a> Receiving<'a> {
    fn new(work: &Work, payload: &'a Payload, inlet: In) -> Self {
        Receiving { payload, inlet, size: work.size, expected: [0; 8], received: 0 }
    }
    fn one(&mut self, seat: &Seat) -> bool {
        let (payload, size, expected) = (self.payload, self.size, &mut self.expected);
        let got = self.inlet.receive(|from, length| {
            if length != size {
                seat.fail("a message of another size was received", true);
            }
            let Some(stamp) = payload.read(from) else { seat.fail("a message was damaged: its sum is wrong", true) };
            let next = &mut expected[(stamp >> PRODUCER_SHIFT) as usize];
            let number = stamp & ((1 << PRODUCER_SHIFT) - 1);
            if number != *next {
                seat.fail(&format!("message {number} was received where {next} was to come"), true);
            }
            *next += 1;
        });
        self.received += got as u64;
        got
    }
}

fn produce(seat: &mut Seat, mut sending: Sending) {
    while seat.next_window() {
        seat.began();
        while !seat.stopping() {
            sending.one();
        }
        seat.set(Word::Sent, sending.sent);
        seat.finish(0);
    }
}

fn consume(seat: &mut Seat, work: &Work, mut receiving: Receiving) {
    while seat.next_window() {
        let mut last = ticks();
        while !seat.stopping() || !seat.drained(receiving.received) {
            if !receiving.one(seat) {
                work.back_off();
            } else if seat.stopping() {
                last = ticks();
            }
        }
        seat.finish(ticks() - last);
    }
}

fn let_the_other_sleep(seat: &Seat, work: &Work) {
    if work.wait == Wait::Sleep {
        let begin = ticks();
        while seat.nanoseconds(ticks() - begin) < 200_000 {
            std::hint::spin_loop();
        }
    }
}

fn ping(seat: &mut Seat, work: &Work, mut sending: Sending, mut receiving: Receiving) {
    while seat.next_window() {
        seat.began();
        while !seat.stopping() {
            let_the_other_sleep(seat, work);
            let begin = ticks();
            seat.set(Word::Stamp, begin);
            sending.one();
            while !receiving.one(seat) {}
            let end = ticks();
            if work.wait == Wait::Sleep {
                let back = end.wrapping_sub(seat.of_other(Word::Stamp));
                seat.add(seat.of_other(Word::Transit).wrapping_add(back));
            } else {
                seat.add(end - begin);
            }
        }
        seat.set(Word::Sent, sending.sent);
        seat.finish(0);
    }
}

fn pong(seat: &mut Seat, work: &Work, mut sending: Sending, mut receiving: Receiving) {
    while seat.next_window() {
        while !seat.stopping() || !seat.drained(receiving.received) {
            if !receiving.one(seat) {
                continue;
            }
            if work.wait == Wait::Sleep {
                seat.set(Word::Transit, ticks().wrapping_sub(seat.of_other(Word::Stamp)));
                let_the_other_sleep(seat, work);
                seat.set(Word::Stamp, ticks());
            }
            sending.one();
        }
        seat.finish(0);
    }
}

fn main() {
    let work = Work::from_arguments();
    let mut seat = Seat::new(&work);
    set_log_level(LogLevel::Fatal);
    let payload = Payload::new(work.touched);
    let make_node = || NodeBuilder::new().create::<ipc::Service>().expect("a node");
    if work.attach && work.produces() {
        if seat.next_window() {
            std::thread::sleep(std::time::Duration::from_millis(2));
            seat.began();
            let node = make_node();
            let mut sending = Sending::new(&work, &payload, Out::new(&node, &work, 0));
            sending.one();
            seat.set(Word::Sent, sending.sent);
            seat.finish(0);
            seat.next_window();
        }
        return;
    }
    let node = make_node();
    let sending = |lane| Sending::new(&work, &payload, Out::new(&node, &work, lane));
    let receiving = |lane| Receiving::new(&work, &payload, In::new(&node, &work, lane));
    match (work.round_trip, work.produces()) {
        (true, true) => ping(&mut seat, &work, sending(0), receiving(1)),
        (true, false) => pong(&mut seat, &work, sending(1), receiving(0)),
        (false, true) => produce(&mut seat, sending(0)),
        (false, false) => consume(&mut seat, &work, receiving(0)),
    }
}
