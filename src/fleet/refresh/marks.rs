//! Marks: the services of a target that have changed since they were read, as events tell. They are
//! hints, so they live in memory only: whoever loses them sweeps.

/// The most marks that are held. Beyond that, everything counts as marked.
const MAX_MARKS: usize = 1_000;

/// Services by cluster.
pub(super) type ServicesByCluster = Vec<(String, Vec<String>)>;

/// The marks of a target. Each has a number, which grows with time; so it is known of each whether what
/// was read since some moment shows the change.
#[derive(Debug, Default)]
pub(super) struct Marks {
    newest: u64,
    /// The number of the mark on the whole target, if there is one.
    all: Option<u64>,
    services: Vec<Mark>,
    /// The number of the newest mark at the start of the sweep that is running.
    swept: u64,
}

#[derive(Debug)]
struct Mark {
    cluster: String,
    service: String,
    number: u64,
    /// The service was read anew, but the sweep that is running may have read it before.
    is_read: bool,
}

impl Marks {
    /// Marks a service.
    pub(super) fn add(&mut self, cluster: String, service: String) {
        self.newest += 1;
        let (number, count) = (self.newest, self.services.len());
        let mut known = self.services.iter_mut();
        match known.find(|mark| mark.service == service && mark.cluster == cluster) {
            Some(mark) => (mark.number, mark.is_read) = (number, false),
            None if count >= MAX_MARKS => self.add_all(),
            None => self.services.push(Mark {
                cluster,
                service,
                number,
                is_read: false,
            }),
        }
    }

    /// Marks the whole target, in place of its services.
    pub(super) fn add_all(&mut self) {
        self.newest += 1;
        self.all = Some(self.newest);
        self.services.clear();
    }

    /// The number of the newest mark.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether the whole target is marked.
    pub(super) fn is_all(&self) -> bool {
        self.all.is_some()
    }

    /// Whether a service is marked that was marked no later than the mark of this number.
    pub(super) fn has_until(&self, number: u64) -> bool {
        self.services
            .iter()
            .any(|mark| !mark.is_read && mark.number <= number)
    }

    /// The marked services by cluster, and how many they are.
    pub(super) fn services(&self) -> (ServicesByCluster, usize) {
        let mut parts = ServicesByCluster::new();
        let mut count = 0;
        for mark in self.services.iter().filter(|mark| !mark.is_read) {
            count += 1;
            let service = mark.service.clone();
            match parts
                .iter_mut()
                .find(|(cluster, _)| *cluster == mark.cluster)
            {
                Some((_, services)) => services.push(service),
                None => parts.push((mark.cluster.clone(), vec![service])),
            }
        }
        (parts, count)
    }

    /// Takes the mark off a service that was read after the mark of this number. Where a sweep is
    /// running, which may have read the service before, it comes back with the end of the sweep.
    pub(super) fn take_off(&mut self, cluster: &str, service: &str, number: u64, is_swept: bool) {
        let is_meant = |mark: &Mark| {
            mark.service == service && mark.cluster == cluster && mark.number <= number
        };
        if !is_swept {
            self.services.retain(|mark| !is_meant(mark));
        }
        for mark in &mut self.services {
            mark.is_read |= is_meant(mark);
        }
    }

    /// A sweep starts: it reads whatever is marked now.
    pub(super) fn on_sweep_start(&mut self) {
        self.swept = self.newest;
        self.services.retain(|mark| !mark.is_read);
    }

    /// A sweep has succeeded: what was marked after its start stays.
    pub(super) fn on_sweep_end(&mut self) {
        let swept = self.swept;
        self.all = self.all.filter(|all| *all > swept);
        self.services.retain(|mark| mark.number > swept);
        for mark in &mut self.services {
            mark.is_read = false;
        }
        // A sweep that an earlier life of the object has started knows no mark.
        self.swept = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(marks: &Marks) -> Vec<String> {
        let (parts, count) = marks.services();
        let shown: Vec<String> = parts
            .iter()
            .flat_map(|(cluster, services)| services.iter().map(move |s| format!("{cluster}/{s}")))
            .collect();
        assert_eq!(shown.len(), count);
        shown
    }

    fn marks(services: &[&str]) -> Marks {
        let mut marks = Marks::default();
        for service in services {
            marks.add("web".into(), (*service).into());
        }
        marks
    }

    #[test]
    fn a_mark_is_taken_off_unless_it_came_again_meanwhile() {
        let mut marks = marks(&["a", "b", "a"]);
        marks.add("other".into(), "a".into());
        assert_eq!(shown(&marks), ["web/a", "web/b", "other/a"]);
        let number = marks.newest();
        marks.add("web".into(), "b".into());
        for service in ["a", "b"] {
            marks.take_off("web", service, number, false);
        }
        assert_eq!(shown(&marks), ["web/b", "other/a"]);
        assert!(marks.has_until(number));
        marks.take_off("other", "a", number, false);
        assert!(!marks.has_until(number), "b was marked later");
    }

    #[test]
    fn a_sweep_takes_off_the_marks_from_before_its_start() {
        let mut marks = marks(&["a", "b"]);
        marks.on_sweep_start();
        marks.add("web".into(), "b".into());
        marks.add("web".into(), "c".into());
        marks.on_sweep_end();
        assert_eq!(shown(&marks), ["web/b", "web/c"]);
    }

    #[test]
    fn a_service_that_was_read_anew_during_a_sweep_is_marked_again_at_its_end() {
        let mut marks = marks(&["a"]);
        marks.on_sweep_start();
        marks.add("web".into(), "b".into());
        marks.take_off("web", "a", marks.newest(), true);
        marks.take_off("web", "b", marks.newest(), true);
        assert!(shown(&marks).is_empty());
        marks.on_sweep_end();
        assert_eq!(shown(&marks), ["web/b"]);
        marks.take_off("web", "b", marks.newest(), true);
        marks.on_sweep_start();
        marks.on_sweep_end();
        assert!(shown(&marks).is_empty(), "the sweep before has failed");
    }

    #[test]
    fn more_marks_than_can_be_held_become_one_on_everything() {
        let mut marks = Marks::default();
        for number in 0..MAX_MARKS {
            marks.add("web".into(), number.to_string());
        }
        assert!(!marks.is_all());
        marks.add("web".into(), "0".into());
        assert!(!marks.is_all(), "it is marked already");
        marks.add("web".into(), "one more".into());
        assert!(marks.is_all() && shown(&marks).is_empty());
        marks.on_sweep_start();
        marks.on_sweep_end();
        assert!(!marks.is_all());
    }

    #[test]
    fn a_sweep_of_an_earlier_life_takes_off_no_mark() {
        let mut marks = marks(&["a"]);
        marks.add_all();
        marks.on_sweep_end();
        assert!(marks.is_all());
    }
}
