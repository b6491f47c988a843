#include "profiling/run_facts.hpp"

#include <charconv>
#include <concepts>

#include "profiling/schema.hpp"

namespace profiling {
namespace {

// How many names of kernels RunStarted had; those after them came during the run.
constexpr const char* kKernelsAtStart = "kernels_at_start";

// Every fact with its key, in one place for both directions.
template <typename Run, typename Visit>
void visit_facts(Run& run, Visit&& visit) {
  visit("start_unix_ns", run.start_unix_ns);
  visit("program_version", run.program_version);
  visit("model_name", run.model_name);
  visit("architecture", run.architecture);
  visit("weight_dtype", run.weight_dtype);
  visit("layers", run.shape.layers);
  visit("query_heads", run.shape.query_heads);
  visit("kv_heads", run.shape.kv_heads);
  visit("head_dim", run.shape.head_dim);
  visit("hidden", run.shape.hidden);
  visit("vocab", run.shape.vocab);
  visit("max_positions", run.shape.max_positions);
  visit("device", run.device);
  visit("backend", run.backend);
  visit("policy", run.policy);
  visit("closed_form", run.closed_form);
  visit("window", run.window);
  visit("threshold", run.threshold);
  visit("lag", run.lag);
  visit("sinks", run.sinks);
  visit("target_cr", run.target_cr);
  visit("gate_form", run.gate_form);
  visit("alpha_scale", run.alpha_scale);
  visit("alpha_offset", run.alpha_offset);
  visit("gates_per_layer", run.gates_per_layer);
  visit("zero_after_rope", run.zero_after_rope);
  visit("chains", run.chains);
  visit("seed", run.seed);
  visit("temperature", run.temperature);
  visit("top_p", run.top_p);
  visit("top_k", run.top_k);
  visit("prompt", run.prompt);
  visit("page_slots", run.page_slots);
  visit("slot_bytes", run.slot_bytes);
}

struct WriteFact {
  const Database& db;
  engine::Status status;

  template <typename Value>
  void operator()(const char* key, const Value& value) {
    if (!status) return;
    if constexpr (std::same_as<Value, bool>) {
      status = write_meta(db, key, std::int64_t{value});
    } else if constexpr (std::same_as<Value, std::uint64_t>) {
      // SQLite's integers are signed: what does not fit is stored as decimal text.
      const bool fits = value <= INT64_MAX;
      status = fits ? write_meta(db, key, static_cast<std::int64_t>(value))
                    : write_meta(db, key, fmt::format("{}", value));
    } else if constexpr (std::integral<Value>) {
      status = write_meta(db, key, std::int64_t{value});
    } else {
      status = write_meta(db, key, value);
    }
  }
};

struct ReadFact {
  Statement select;
  const std::string& trace;
  engine::Status status;

  template <typename Value>
  void operator()(const char* key, Value& value) {
    if (!status) return;
    select.bind(key);
    if (!select.step()) {
      status =
          select.status() ? engine::bad_input("trace '{}': meta has no '{}'", trace, key) : select.status();
      return;
    }
    if constexpr (std::same_as<Value, std::string>) {
      value = std::string(select.text(0));
    } else if constexpr (std::same_as<Value, double>) {
      value = select.real(0);
    } else if constexpr (std::same_as<Value, std::uint64_t>) {
      const std::string_view digits = select.text(0);
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
    } else {
      read_integer(key, value);
    }
    select.reset();
  }

  template <typename Value>
  void read_integer(const char* key, Value& value) {
    const std::int64_t stored = select.integer(0);
    value = static_cast<Value>(stored);
    if (select.type(0) != SQLITE_INTEGER || static_cast<std::int64_t>(value) != stored) {
      status = engine::bad_input("trace '{}': meta '{}' is '{}', expected a{} integer", trace, key,
                                 select.text(0), sizeof(Value) == 4 ? " 32-bit" : "n");
    }
  }
};

engine::Status write_names(const Database& db, const char* sql, const std::vector<std::string>& names) {
  Statement insert = db.prepare(sql);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto status = insert.bind(static_cast<std::int64_t>(i), names[i]).run(); !status) return status;
  }
  return {};
}

// Names are numbered from 0 without holes.
engine::Result<std::vector<std::string>> read_names(const Database& db, const char* sql) {
  std::vector<std::string> names;
  Statement select = db.prepare(sql);
  while (select.step()) {
    if (select.integer(0) != static_cast<std::int64_t>(names.size())) {
      return engine::bad_input("trace '{}': damaged (name {} is missing)", db.trace(), names.size());
    }
    names.emplace_back(select.text(1));
  }
  if (const auto status = select.status(); !status) return status.error();
  return names;
}

engine::Status check_shape(const engine::RunStarted& run, const std::string& trace) {
  const auto& shape = run.shape;
  if (shape.layers < 1 || shape.kv_heads < 1 || std::int64_t{shape.layers} * shape.kv_heads > kMaxHeads) {
    return engine::bad_input("trace '{}': {} layers of {} KV heads, expected 1 to {} heads in all", trace,
                             shape.layers, shape.kv_heads, kMaxHeads);
  }
  if (run.window < 0 || run.lag < 0 || run.page_slots < 0 || run.slot_bytes < 0 ||
      run.slot_bytes > (1 << 30)) {
    return engine::bad_input("trace '{}': window {}, lag {}, page_slots {} or slot_bytes {} out of range",
                             trace, run.window, run.lag, run.page_slots, run.slot_bytes);
  }
  return {};
}

}  // namespace

engine::Status write_run(Database& db, const engine::RunStarted& run) {
  if (const auto status = check_shape(run, db.trace()); !status)
    return engine::failed("{}", status.error().message);
  WriteFact write{db, {}};
  visit_facts(run, write);
  if (!write.status) return write.status;
  if (auto status = write_names(db, "INSERT INTO operation_names VALUES(?, ?)", run.operations); !status)
    return status;
  if (auto status = write_names(db, "INSERT INTO kernel_names VALUES(?, ?)", run.kernels); !status) {
    return status;
  }
  return write_meta(db, kKernelsAtStart, static_cast<std::int64_t>(run.kernels.size()));
}

engine::Result<engine::RunStarted> read_run(const Database& db) {
  engine::RunStarted run;
  ReadFact read{db.prepare("SELECT value FROM meta WHERE key = ?"), db.trace(), {}};
  read.select.bind("layers");
  if (!read.select.step() && read.select.status()) {
    return engine::bad_input("trace '{}': holds no run (recording ended before it began)", db.trace());
  }
  read.select.reset();
  visit_facts(run, read);
  if (!read.status) return read.status.error();
  if (const auto status = check_shape(run, db.trace()); !status) return status.error();
  auto operations = read_names(db, "SELECT id, name FROM operation_names ORDER BY id");
  if (!operations) return operations.error();
  run.operations = std::move(*operations);
  auto kernels = read_names(db, "SELECT id, name FROM kernel_names ORDER BY id");
  if (!kernels) return kernels.error();
  run.kernels = std::move(*kernels);
  // A trace of version 1 names none later.
  const auto at_start =
      db.integer("SELECT coalesce((SELECT value FROM meta WHERE key = 'kernels_at_start'), -1)");
  if (!at_start) return at_start.error();
  if (*at_start >= 0 && *at_start <= static_cast<std::int64_t>(run.kernels.size())) {
    run.kernels.resize(static_cast<std::size_t>(*at_start));
  }
  return run;
}

}  // namespace profiling
