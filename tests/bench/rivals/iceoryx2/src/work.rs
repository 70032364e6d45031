//! What is to be done, from name=value arguments.

use std::collections::HashMap;

#[derive(PartialEq, Clone, Copy)]
pub enum Wait {
    Busy,
    Wait,
    Sleep,
}

pub struct Work {
    pub round_trip: bool,
    pub attach: bool,
    pub wait: Wait,
    pub size: usize,
    pub touched: usize,
    pub producers: usize,
    pub consumers: usize,
    pub seat: usize,
    pub window: String,
    /// The same for all processes of a set, and for no others.
    pub set: String,
}

impl Work {
    pub fn from_arguments() -> Work {
        let given: HashMap<String, String> = std::env::args()
            .filter_map(|argument| argument.split_once('=').map(|(k, v)| (k.to_string(), v.to_string())))
            .collect();
        let number = |name: &str| given[name].parse().expect("a number");
        Work {
            round_trip: given["kind"] == "round_trip",
            attach: given["kind"] == "attach",
            wait: match given["wait"].as_str() {
                "busy" => Wait::Busy,
                "wait" => Wait::Wait,
                _ => Wait::Sleep,
            },
            size: number("size"),
            touched: number("touched"),
            producers: number("producers"),
            consumers: number("consumers"),
            seat: number("seat"),
            window: given["window"].clone(),
            set: given["directory"].rsplit('/').next().unwrap_or("set").to_string(),
        }
    }
    pub fn produces(&self) -> bool {
        self.seat < self.producers
    }
    pub fn crowded(&self) -> bool {
        self.producers + self.consumers > 2
    }
    pub fn back_off(&self) {
        if self.crowded() {
            std::thread::yield_now();
        } else if !self.round_trip {
            std::hint::spin_loop();
        }
    }
}
