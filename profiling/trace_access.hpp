// What the trace tools need of a reader beyond its public interface.
#pragma once

#include "profiling/trace_file.hpp"
#include "profiling/trace_reader.hpp"

namespace profiling {

struct TraceReader::State {
  OpenTrace trace;
  engine::RunStarted run;
};

struct TraceAccess {
  static const Database& database(const TraceReader& reader) { return reader.state_->trace.db; }
};

}  // namespace profiling
