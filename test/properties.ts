import fc from 'fast-check';

// The search for a smaller counterexample can go on for hours and blocks the worker, so that no timeout of the test runner
// ends it. Past this time a property fails with the counterexample found so far, or with none as interrupted.
fc.configureGlobal({ interruptAfterTimeLimit: 50_000, markInterruptAsFailure: true });
