//! A channel of iceoryx2: slices of bytes, loaned and sent; an event beside it where somebody waits.

use std::time::Duration;

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;

use crate::work::{Wait, Work};

type Slices = iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>;
type Events = iceoryx2::service::port_factory::event::PortFactory<ipc::Service>;

fn name(work: &Work, lane: usize, what: &str) -> ServiceName {
    format!("{}-{what}{lane}", work.set).as_str().try_into().expect("a name")
}

fn slices(node: &Node<ipc::Service>, work: &Work, lane: usize) -> Slices {
    node.service_builder(&name(work, lane, "lane"))
        .publish_subscribe::<[u8]>()
        .payload_alignment(Alignment::new(64).expect("an alignment"))
        .enable_safe_overflow(false)
        .subscriber_max_buffer_size(if work.size >= 1 << 20 { 16 } else { 256 })
        .max_publishers(4)
        .max_subscribers(4)
        .open_or_create()
        .expect("a service")
}

fn events(node: &Node<ipc::Service>, work: &Work, lane: usize) -> Option<Events> {
    (work.wait != Wait::Busy)
        .then(|| node.service_builder(&name(work, lane, "event")).event().open_or_create().expect("an event"))
}

pub struct Out {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    size: usize,
}

impl Out {
    pub fn new(node: &Node<ipc::Service>, work: &Work, lane: usize) -> Out {
        Out {
            publisher: slices(node, work, lane)
                .publisher_builder()
                .initial_max_slice_len(work.size)
                .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
                .create()
                .expect("a publisher"),
            notifier: events(node, work, lane).map(|e| e.notifier_builder().create().expect("a notifier")),
            size: work.size,
        }
    }
    pub fn send(&self, write: impl FnOnce(*mut u8)) {
        let mut sample = self.publisher.loan_slice_uninit(self.size).expect("a loan");
        write(sample.payload_mut().as_mut_ptr().cast());
        // SAFETY: all that is read is written.
        unsafe { sample.assume_init() }.send().expect("a delivery");
        if let Some(notifier) = &self.notifier {
            notifier.notify().expect("a notification");
        }
    }
}

pub struct In {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Option<Listener<ipc::Service>>,
}

impl In {
    pub fn new(node: &Node<ipc::Service>, work: &Work, lane: usize) -> In {
        In {
            subscriber: slices(node, work, lane).subscriber_builder().create().expect("a subscriber"),
            listener: events(node, work, lane).map(|e| e.listener_builder().create().expect("a listener")),
        }
    }
    /// False: nothing now.
    pub fn receive(&self, read: impl FnOnce(*const u8, usize)) -> bool {
        if let Some(sample) = self.subscriber.receive().expect("a connection") {
            read(sample.payload().as_ptr(), sample.payload().len());
            return true;
        }
        if let Some(listener) = &self.listener {
            // Then the harness is asked whether there is more to come.
            let _ = listener.timed_wait(|_| {}, Duration::from_millis(20));
        }
        false
    }
}
