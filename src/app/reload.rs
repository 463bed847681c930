//! What a running appliance takes of a configuration that was read again.

use super::App;
use super::settings::{configured, failures, rates, thresholds};
use crate::base::events::Event;
use crate::config::{self, Config, View};
use crate::http::Listener;

impl App {
    /// Puts the keys marked `live` of a configuration in force, the others left alone; `view` is what is in force then.
    pub fn take(&self, config: &Config, view: &View, listener: &Listener) {
        let world = self.dispatch.world();
        let (before, now) = (world.rules.file.get(), configured(config));
        let switched = *before != now;
        world.rules.file.put(now);
        world.settings.health.put(thresholds(&config.health_check));
        world.settings.config.put(config::shown(view));
        listener.allow(rates(&config.rate_limit), failures(&config.rate_limit));
        if switched {
            // Whoever listens is told that other tools are offered now.
            world.fleet.bus().tell(Event::Switches);
        }
    }
}
