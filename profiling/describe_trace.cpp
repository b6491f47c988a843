// What a trace is, for `dmscope info TRACE`: its run's facts, without reading the events.
#include <nlohmann/json.hpp>

#include "profiling/read_transaction.hpp"
#include "profiling/trace_access.hpp"
#include "profiling/trace_tools.hpp"

namespace profiling {
namespace {

struct Description {
  engine::RunStarted run;
  std::int64_t schema_version = 0;
  std::int64_t tokens = 0, steps = 0, sequences = 0, spans = 0;
  bool finished = false;
  std::string end_reason;
  std::uintmax_t file_bytes = 0;
};

engine::Result<Description> describe(const std::filesystem::path& trace) {
  const auto reader = TraceReader::open(trace);
  if (!reader) return reader.error();
  const Database& db = TraceAccess::database(**reader);
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status().error();
  Description what;
  what.run = (*reader)->run();
  // Rows are only ever appended: the last id is their number.
  Statement counts = db.prepare(
      "SELECT (SELECT max(id) FROM raw_tokens), (SELECT max(id) FROM raw_steps), (SELECT max(id) FROM "
      "raw_sequences), "
      "(SELECT max(id) FROM raw_spans), (SELECT count(*) FROM meta WHERE key = 'end_ns'), "
      "(SELECT value FROM meta WHERE key = 'end_reason')");
  if (counts.step()) {
    what.tokens = counts.integer(0);
    what.steps = counts.integer(1);
    what.sequences = counts.integer(2);
    what.spans = counts.integer(3);
    what.finished = counts.integer(4) > 0;
    what.end_reason = std::string(counts.text(5));
  }
  if (const auto status = counts.status(); !status) return status.error();
  const auto version = db.integer("PRAGMA user_version");
  if (!version) return version.error();
  what.schema_version = *version;
  std::error_code error;
  what.file_bytes = std::filesystem::file_size(trace, error);
  return what;
}

std::string to_json(const std::filesystem::path& trace, const Description& what) {
  using Json = nlohmann::ordered_json;
  const engine::RunStarted& run = what.run;
  const Json json = {{"trace", trace.string()},
                     {"file_bytes", what.file_bytes},
                     {"schema_version", what.schema_version},
                     {"program_version", run.program_version},
                     {"start_unix_ns", run.start_unix_ns},
                     {"finished", what.finished},
                     {"end_reason", what.finished ? Json(what.end_reason) : Json(nullptr)},
                     {"model", run.model_name},
                     {"architecture", run.architecture},
                     {"weight_dtype", run.weight_dtype},
                     {"layers", run.shape.layers},
                     {"query_heads", run.shape.query_heads},
                     {"kv_heads", run.shape.kv_heads},
                     {"head_dim", run.shape.head_dim},
                     {"device", run.device},
                     {"backend", run.backend},
                     {"policy", run.policy},
                     {"window", run.window},
                     {"threshold", run.threshold},
                     {"lag", run.lag},
                     {"gate_form", run.gate_form},
                     {"chains", run.chains},
                     {"prompt", run.prompt},
                     {"tokens", what.tokens},
                     {"steps", what.steps},
                     {"sequences", what.sequences},
                     {"spans", what.spans}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_text(const std::filesystem::path& trace, const Description& what) {
  const engine::RunStarted& run = what.run;
  std::string text =
      fmt::format("trace      {}, {:.1f} MB, schema version {}, recorded by DMScope {}\n", trace.string(),
                  static_cast<double>(what.file_bytes) * 1e-6, what.schema_version, run.program_version);
  text += fmt::format("model      {} ({}, {}), {} layers, {} query and {} KV heads of {}\n", run.model_name,
                      run.architecture, run.weight_dtype, run.shape.layers, run.shape.query_heads,
                      run.shape.kv_heads, run.shape.head_dim);
  text += fmt::format("policy     {}, window {}, threshold {}, lag {}, gates: {}\n", run.policy, run.window,
                      run.threshold, run.lag, run.gate_form);
  text += fmt::format("device     {}\n", run.device);
  text += fmt::format("holds      {} tokens, {} sequences, {} steps, {} spans; {}\n", what.tokens,
                      what.sequences, what.steps, what.spans,
                      what.finished ? "ended: " + what.end_reason : "the recording did not end");
  return text;
}

}  // namespace

std::string sqlite_version() {
  return sqlite3_libversion();
}

engine::Result<std::string> describe_trace(const std::filesystem::path& trace, bool json) {
  const auto what = describe(trace);
  if (!what) return what.error();
  return json ? to_json(trace, *what) : to_text(trace, *what);
}

}  // namespace profiling
