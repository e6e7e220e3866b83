//! Every test, in one program, so that the harness is compiled once. A file per rule.

mod harness;
mod invariants;

mod aws_oracle;
mod bad_input;
mod choice;
mod claude;
mod completion;
mod counts;
mod demo;
mod doctor;
mod documents;
mod exec;
mod faults;
mod harness_selftest;
mod house;
mod hygiene;
mod lint;
mod local;
mod main_job;
mod manual;
mod neighbours;
mod overrides;
mod plugins;
mod properties;
mod quoting;
mod status;
mod trust;
mod unchanged;
mod undo;
