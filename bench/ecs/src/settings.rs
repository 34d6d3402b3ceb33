//! Settings of the stand-in, from its command line and, in part, from requests while it runs.

/// The size of the fleet, and the latency and faults of its ECS.
#[derive(Clone, Debug)]
pub struct Settings {
    pub clusters: usize,
    /// Services in each cluster.
    pub services: usize,
    /// Events of each service.
    pub events: usize,
    /// Milliseconds before a response.
    pub latency: u64,
    /// One of so many calls is throttled; 0: none.
    pub throttle: u64,
    /// One of so many calls fails with a 500; 0: none.
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
    /// Changes a setting, such as `latency=20`.
    ///
    /// # Errors
    /// If there is no such setting, or the value is not a number.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        let wrong = || format!("{setting} is not a setting with a number, such as latency=20");
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
