#![no_main]
#![allow(missing_docs)]

use std::alloc::System;

use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The memory that decoding may take, and that for each byte of the input.
const BASE: usize = 8 * 1024 * 1024;
const EACH: usize = 1024;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limit = ALLOCATOR.allocated() + BASE + EACH * data.len();
    ALLOCATOR
        .set_limit(limit)
        .expect("the limit is above the current use");
    ecs_status_fuzz::stored::check(data);
    ALLOCATOR
        .set_limit(usize::MAX)
        .expect("there is no limit");
});
