// The process's source of GPU records, opened when it is first asked for.
#pragma once

#include <string>

#include "engine/events/result.hpp"
#include "profiling/gpu/activity_source.hpp"

namespace profiling {

// The same for every caller, and never freed; an error tells why kernels cannot be timed here: no driver, no
// CUPTI, one that is too old, another tool that holds it, or a program built without its headers.
// `library`, `driver`: files to use instead of the installed ones, when first called. Call before the first
// use of CUDA.
engine::Result<ActivitySource*> cupti_source(const std::string& library = {}, const std::string& driver = {});

// Records nothing until it is asked to again, if it was ever opened.
void pause_cupti_source();

// At the end of main(), if it was ever opened: the device idle, nothing launched afterwards.
void end_cupti_source();

}  // namespace profiling
