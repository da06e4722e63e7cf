//! Follows the charge while the page is open: by the event stream, by polling where that does not open.
//!
//! The stream is at `<path>/events?after=<epoch>.<sequence>`, so that nothing is lost between rendering and subscribing; the
//! browser's own reconnection adds `Last-Event-ID`, which is newer and counts. Each frame is a `ChargeView` as JSON in an
//! unnamed event. The poll at `<path>/status` answers the same JSON.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Reflect};
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, EventSource, MessageEvent};

use crate::browser::{after, fetch, own_clock};
use crate::follow::{self, Cursor};
use crate::model::Model;
use crate::read;

/// Wakings come in pairs (`visibilitychange` and `pageshow`): one attempt answers both.
const ONE_WAKING: i64 = 1_000;

struct Follower {
    model: Model,
    path: String,
    cursor: RefCell<Cursor>,
    /// Server's clock less ours.
    offset: Cell<i64>,
    source: RefCell<Option<EventSource>>,
    /// Counts connections: timers of an older one know that they are not meant any more.
    round: Cell<u32>,
    attempts: Cell<u32>,
    connected_at: Cell<i64>,
    polling: Cell<bool>,
}

/// Starts to follow, for as long as the page lives.
pub fn follow(model: Model) {
    let (path, cursor) = model.fixed(|page| (page.path.clone(), Cursor::of(&page.epoch, page.view.sequence)));
    let follower = Rc::new(Follower {
        model,
        path,
        cursor: RefCell::new(cursor),
        offset: Cell::new(model.held(|held| held.now) - own_clock()),
        source: RefCell::new(None),
        round: Cell::new(0),
        attempts: Cell::new(0),
        connected_at: Cell::new(0),
        polling: Cell::new(false),
    });
    follower.connect();
    follower.watch_clock();
    follower.watch_page();
}

impl Follower {
    fn connect(self: &Rc<Self>) {
        self.close();
        self.connected_at.set(own_clock());
        let early = early();
        let url = follow::address(&self.path, &self.cursor.borrow());
        let Ok(source) = early.clone().map_or_else(|| EventSource::new(&url), Ok) else {
            self.poll_now();
            return;
        };
        let this = Rc::clone(self);
        let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| this.hear(&event));
        source.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        on_message.forget();
        // One callback for both: what matters is the state that the stream is in afterwards.
        let this = Rc::clone(self);
        let on_change = Closure::<dyn Fn(Event)>::new(move |event: Event| this.look_at_stream(&event));
        source.set_onopen(Some(on_change.as_ref().unchecked_ref()));
        source.set_onerror(Some(on_change.as_ref().unchecked_ref()));
        on_change.forget();
        self.source.replace(Some(source));
        self.poll_unless_open();
        if let Some(early) = early {
            let this = Rc::clone(self);
            // Not at once: the page is being taken over as it was rendered, and must not have changed before it is.
            spawn_local(async move { this.catch_up(&early) });
        }
    }

    /// Hears what the stream said while nobody listened.
    fn catch_up(&self, early: &EventSource) {
        let kept = Reflect::get(early, &"kept".into()).unwrap_or_default();
        for event in kept.unchecked_ref::<Array>().iter() {
            self.hear(event.unchecked_ref());
        }
    }

    fn close(&self) {
        self.round.set(self.round.get().wrapping_add(1));
        if let Some(source) = self.source.take() {
            source.close();
        }
    }

    fn is_open(&self) -> bool {
        self.ready_state() == Some(EventSource::OPEN)
    }

    fn ready_state(&self) -> Option<u16> {
        self.source.borrow().as_ref().map(EventSource::ready_state)
    }

    fn hear(&self, event: &MessageEvent) {
        let renewed = self.cursor.borrow_mut().advance(&event.last_event_id());
        if let Some(frame) = event.data().as_string() {
            self.take(&frame, renewed);
        }
    }

    /// Shows what a frame or a poll says, unless it is older than what is shown.
    fn take(&self, frame: &str, renewed: bool) -> bool {
        let Some(view) = read::charge_view(frame) else {
            return false;
        };
        let model = self.model;
        if renewed || model.held(|held| follow::is_news(&held.view, &view)) {
            self.offset.set(view.now - own_clock());
            model.change(|held| {
                held.now = view.now;
                held.view = view;
            });
        }
        self.heard(true);
        true
    }

    fn look_at_stream(self: &Rc<Self>, event: &Event) {
        // A stream that was replaced in the meantime has nothing to say.
        let current = self.source.borrow().as_ref().map(JsValue::from);
        if event.target().map(JsValue::from) != current {
            return;
        }
        match self.ready_state() {
            Some(EventSource::OPEN) => {
                self.attempts.set(0);
                self.heard(true);
            }
            Some(EventSource::CONNECTING) => {
                self.heard(false);
                self.poll_unless_open();
            }
            _ => {
                // Refused or not found: the browser will not try again by itself.
                self.heard(false);
                let attempt = self.attempts.get();
                self.attempts.set(attempt.saturating_add(1));
                let (this, round) = (Rc::clone(self), self.round.get());
                later(follow::pause(attempt, chance()), move || {
                    if this.round.get() == round {
                        this.connect();
                    }
                });
                self.poll_unless_open();
            }
        }
    }

    fn poll_unless_open(self: &Rc<Self>) {
        let this = Rc::clone(self);
        later(follow::OPENS_WITHIN, move || {
            if !this.is_open() {
                this.poll_now();
            }
        });
    }

    /// Starts polling, until the stream is open; never twice at a time.
    fn poll_now(self: &Rc<Self>) {
        if !self.polling.replace(true) {
            self.poll(0);
        }
    }

    fn poll(self: &Rc<Self>, failures: u32) {
        let this = Rc::clone(self);
        spawn_local(async move {
            let url = [&this.path, "/status"].concat();
            let answer = fetch(&url).await;
            let failures = if answer.is_some_and(|frame| this.take(&frame, false)) {
                0
            } else {
                if !this.is_open() {
                    this.heard(false);
                }
                failures.saturating_add(1)
            };
            let pause = match failures {
                0 if is_hidden() => follow::POLL_HIDDEN_EVERY,
                0 => follow::POLL_EVERY,
                failures => follow::POLL_EVERY.max(follow::pause(failures, chance())),
            };
            later(pause, move || {
                if this.is_open() {
                    this.polling.set(false);
                } else {
                    this.poll(failures);
                }
            });
        });
    }

    fn heard(&self, live: bool) {
        self.model.change(|held| held.live = Some(live));
    }

    fn tick(&self) {
        self.model.change(|held| held.now = own_clock() + self.offset.get());
    }

    fn watch_clock(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let tick = Closure::<dyn Fn()>::new(move || this.tick());
        // Without an interval the page still shows what it hears.
        let _ = window().set_interval_with_callback_and_timeout_and_arguments_0(tick.as_ref().unchecked_ref(), 1_000);
        tick.forget();
    }

    /// A phone that was in a pocket, a laptop that slept, a network that came back: the stream may be dead without knowing it.
    fn watch_page(self: &Rc<Self>) {
        let this = Rc::clone(self);
        let on_change = Closure::<dyn Fn(Event)>::new(move |event: Event| match event.type_().as_str() {
            "offline" => this.heard(false),
            _ if is_hidden() => this.release_later(),
            _ => this.wake(),
        });
        let callback = on_change.as_ref().unchecked_ref();
        let (window, document) = (window(), document());
        // Listening fails for no name that is a text.
        let _ = document.add_event_listener_with_callback("visibilitychange", callback);
        for name in ["pageshow", "online", "offline"] {
            let _ = window.add_event_listener_with_callback(name, callback);
        }
        on_change.forget();
    }

    fn wake(self: &Rc<Self>) {
        self.tick();
        if own_clock() - self.connected_at.get() > ONE_WAKING {
            self.attempts.set(0);
            self.connect();
        }
    }

    fn release_later(self: &Rc<Self>) {
        let (this, round) = (Rc::clone(self), self.round.get());
        later(follow::RELEASE_AFTER, move || {
            if is_hidden() && this.round.get() == round {
                this.close();
                this.poll_now();
            }
        });
    }
}

/// The stream that the page's first script opened, for the first to ask; `None` when it has failed meanwhile.
fn early() -> Option<EventSource> {
    let (window, name) = (window(), "early".into());
    let early = Reflect::get(&window, &name).ok().filter(JsValue::is_object)?;
    let _ = Reflect::delete_property(&window, &name);
    let early: EventSource = early.unchecked_into();
    (early.ready_state() != EventSource::CLOSED).then_some(early)
}

fn later(millis: u32, then: impl FnOnce() + 'static) {
    after(i32::try_from(millis).unwrap_or(i32::MAX), then);
}

fn is_hidden() -> bool {
    document().hidden()
}

/// From 0 to 999. Only spreads the load, so that the clock is chance enough.
fn chance() -> u32 {
    u32::try_from(own_clock().rem_euclid(1_000)).unwrap_or_default()
}
