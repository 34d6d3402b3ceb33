#![no_main]
#![allow(missing_docs)]

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// What a few bytes may take to be read, and what each more may.
const FEW: usize = 8 * 1024 * 1024;
const EACH: usize = 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limit = ALLOCATOR.allocated() + FEW + EACH * data.len();
    ALLOCATOR
        .set_limit(limit)
        .expect("it is more than is in use");
    ecs_status_fuzz::stored::check(data);
    ALLOCATOR
        .set_limit(usize::MAX)
        .expect("there is always more");
});
