//! What can be set on the command line, and some of it while the stand-in runs.

/// A fleet, and how ECS behaves about it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub clusters: usize,
    /// In each cluster.
    pub services: usize,
    /// Of each service.
    pub events: usize,
    /// Milliseconds before an answer.
    pub latency: u64,
    /// Every so many calls one is throttled; 0: none.
    pub throttle: u64,
    /// Every so many calls one fails with a 500; 0: none.
    pub fail: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clusters: 10,
            services: 100,
            events: 100,
            latency: 0,
            throttle: 0,
            fail: 0,
        }
    }
}

impl Settings {
    /// Takes a setting such as `latency=20`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        let wrong = || format!("no setting: {setting}");
        let (name, value) = setting.split_once('=').ok_or_else(wrong)?;
        let number: u32 = value.parse().map_err(|_| wrong())?;
        match name {
            "clusters" => self.clusters = number as usize,
            "services" => self.services = number as usize,
            "events" => self.events = number as usize,
            "latency" => self.latency = number.into(),
            "throttle" => self.throttle = number.into(),
            "fail" => self.fail = number.into(),
            _ => return Err(wrong()),
        }
        Ok(())
    }
}
