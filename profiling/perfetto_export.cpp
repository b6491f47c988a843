// `dmscope export --perfetto`: the Chrome JSON trace format, which ui.perfetto.dev opens. Times are
// microseconds with three decimals, so nanoseconds survive.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "profiling/cache_walk.hpp"
#include "profiling/read_transaction.hpp"
#include "profiling/trace_access.hpp"
#include "profiling/trace_tools.hpp"

namespace profiling {
namespace {

namespace fs = std::filesystem;

// Times beyond 31 years are damage; refusing them keeps sums and differences of times in range.
constexpr std::int64_t kLatest = 1'000'000'000'000'000'000;

constexpr int kStepsTrack = 0;  // "thread" 0 of the CPU's process

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string microseconds(std::int64_t ns) {
  const std::uint64_t magnitude =
      ns < 0 ? ~static_cast<std::uint64_t>(ns) + 1 : static_cast<std::uint64_t>(ns);
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", magnitude / 1000, magnitude % 1000);
}

// A process is a device (1: the CPU, 2 + i: GPU i), a thread one of its streams.
struct Track {
  std::int64_t process = 0;
  std::int64_t thread = 0;
  auto operator<=>(const Track&) const = default;
};

constexpr Track kRun{1, kStepsTrack};

class EventWriter {
 public:
  explicit EventWriter(std::ostream& out) : out_(out) {
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  }

  void name(const char* what, Track track, std::string_view text) {
    begin() << fmt::format(R"({{"ph":"M","name":"{}","pid":{},"tid":{},"args":{{"name":{}}}}})", what,
                           track.process, track.thread, json_text(text));
  }
  void slice(Track track, std::string_view text, std::int64_t start_ns, std::int64_t duration_ns,
             const std::string& args) {
    begin() << fmt::format(R"({{"ph":"X","name":{},"pid":{},"tid":{},"ts":{},"dur":{},"args":{{{}}}}})",
                           json_text(text), track.process, track.thread, microseconds(start_ns),
                           microseconds(duration_ns), args);
  }
  void counter(Track track, std::string_view text, std::int64_t at_ns, const std::string& value) {
    begin() << fmt::format(R"({{"ph":"C","name":{},"pid":{},"ts":{},"args":{{"value":{}}}}})",
                           json_text(text), track.process, microseconds(at_ns), value);
  }
  void end() { out_ << "\n]}\n"; }

 private:
  std::ostream& out_;
  bool first_ = true;
  std::ostream& begin() {
    out_ << (first_ ? "\n" : ",\n");
    first_ = false;
    return out_;
  }
};

// Spans that follow each other in one layer of one step become children of one slice.
class LayerSlices {
 public:
  explicit LayerSlices(EventWriter& out) : out_(out) {}

  void add(Track track, std::int64_t step, std::int64_t layer, std::int64_t start_ns, std::int64_t end_ns) {
    Open& open = open_[track];
    if (open.layer != layer || open.step != step) close(track, open);
    if (open.layer < 0 && layer >= 0) open = {layer, step, start_ns, end_ns};
    open.end_ns = std::max(open.end_ns, end_ns);
  }
  void close_all() {
    for (auto& [track, open] : open_) close(track, open);
  }

 private:
  struct Open {
    std::int64_t layer = -1;
    std::int64_t step = 0;
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
  };
  void close(Track track, Open& open) {
    if (open.layer >= 0) {
      out_.slice(track, fmt::format("layer {}", open.layer), open.start_ns, open.end_ns - open.start_ns,
                 fmt::format(R"("step":{},"layer":{})", open.step, open.layer));
    }
    open = {};
  }

  EventWriter& out_;
  std::map<Track, Open> open_;
};

// A slice as it is shown: the next one on its track may cut it short.
struct Slice {
  std::string name;
  std::int64_t step = 0;
  std::int64_t layer = -1;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::string args;
};

// Kernels that begin before the one before them has ended would not be shown at all, because slices of a
// track must nest: what is shown of the earlier one ends where the later begins, and its arguments tell the
// whole duration.
class TrackSlices {
 public:
  explicit TrackSlices(EventWriter& out) : out_(out), layers_(out) {}

  void add(Track track, Slice slice) {
    const auto [held, first] = held_.try_emplace(track, slice);
    if (first) return;
    held->second.end_ns = std::min(held->second.end_ns, std::max(slice.start_ns, held->second.start_ns));
    write(track, std::exchange(held->second, std::move(slice)));
  }
  void close_all() {
    for (const auto& [track, slice] : held_) write(track, slice);
    layers_.close_all();
  }

 private:
  void write(Track track, const Slice& slice) {
    layers_.add(track, slice.step, slice.layer, slice.start_ns, slice.end_ns);
    out_.slice(track, slice.name, slice.start_ns, slice.end_ns - slice.start_ns, slice.args);
  }

  EventWriter& out_;
  LayerSlices layers_;
  std::map<Track, Slice> held_;
};

Track track_of(std::int64_t device, std::int64_t stream) {
  return device >= 0 ? Track{2 + (device & 0xffff), stream} : Track{1, 1 + (stream & 0xffff)};
}

// Names that the run gave its devices and streams; the last one counts.
using TrackNames = std::map<std::pair<std::int64_t, std::int64_t>, std::string>;

engine::Result<TrackNames> read_track_names(const Database& db) {
  TrackNames names;
  Statement rows = db.prepare("SELECT device, stream, name FROM raw_tracks ORDER BY id");
  while (rows.step()) names[{rows.integer(0), rows.integer(1)}] = std::string(rows.text(2));
  if (!rows.status()) return rows.status().error();
  return names;
}

std::string track_name(const TrackNames& names, std::int64_t device, std::int64_t stream,
                       const std::string& otherwise) {
  const auto found = names.find({device, stream});
  if (found == names.end()) return otherwise;
  return device >= 0 ? fmt::format("{} ({})", otherwise, found->second) : found->second;
}

void name_track(EventWriter& out, const TrackNames& names, std::int64_t device, std::int64_t stream) {
  const Track track = track_of(device, stream);
  if (device >= 0) {
    out.name("process_name", track,
             track_name(names, device, engine::kWholeDevice, fmt::format("GPU {}", device)));
  }
  out.name(
      "thread_name", track,
      track_name(names, device, stream, device >= 0 ? fmt::format("stream {}", stream) : "CPU operations"));
}

std::string span_args(const Statement& span) {
  std::string args = fmt::format(R"("step":{},"layer":{},"kernel":{})", span.integer(2), span.integer(3),
                                 json_text(span.text(7)));
  const std::int64_t bytes = span.integer(8), duration = span.integer(1), device = span.integer(4);
  if (device >= 0) args += fmt::format(R"(,"duration_ns":{})", duration);
  if (span.integer(9) >= 0) args += fmt::format(R"(,"graph":{})", span.integer(9));
  if (bytes > 0) args += fmt::format(R"(,"bytes":{})", bytes);
  if (bytes > 0 && duration > 0) {
    args += fmt::format(R"(,"gb_per_s":{:.1f})", static_cast<double>(bytes) / static_cast<double>(duration));
  }
  return args;
}

engine::Status write_spans(const Database& db, EventWriter& out) {
  const auto names = read_track_names(db);
  if (!names) return names.error();
  Statement spans = db.prepare(
      "SELECT s.start_ns, s.duration_ns, s.step, k.layer, k.device, k.stream, coalesce(o.name, n.name, "
      "'unknown'), "
      "coalesce(n.name, ''), s.bytes, coalesce(k.graph, -1) FROM raw_spans s "
      "LEFT JOIN span_kinds k ON k.id = s.kind "
      "LEFT JOIN operation_names o ON o.id = k.operation LEFT JOIN kernel_names n ON n.id = k.kernel "
      "ORDER BY s.start_ns");
  TrackSlices slices(out);
  std::map<Track, bool> named;
  while (spans.step()) {
    const std::int64_t start = spans.integer(0), duration = spans.integer(1), device = spans.integer(4);
    if (start < -kLatest || start > kLatest || duration < 0 || duration > kLatest) {
      return engine::bad_input("trace '{}': damaged (a span from {} ns for {} ns)", db.trace(), start,
                               duration);
    }
    const Track track = track_of(device, spans.integer(5));
    if (!std::exchange(named[track], true)) name_track(out, *names, device, spans.integer(5));
    // On a GPU the kernel is what one looks for; the CPU's operations are its kernels.
    const int name = device >= 0 && !spans.text(7).empty() ? 7 : 6;
    slices.add(track, {std::string(spans.text(name)), spans.integer(2), spans.integer(3), start,
                       start + duration, span_args(spans)});
  }
  slices.close_all();
  return spans.status();
}

// One counter track per quantity, under its device's process.
engine::Status write_counters(const Database& db, EventWriter& out) {
  Statement samples = db.prepare(
      "SELECT t.device, t.name, t.unit, c.time_ns, c.value FROM raw_counters c "
      "LEFT JOIN counter_tracks t ON t.id = c.track ORDER BY c.id");
  while (samples.step()) {
    const std::int64_t at = samples.integer(3);
    if (at < -kLatest || at > kLatest) {
      return engine::bad_input("trace '{}': damaged (a counter's sample at {} ns)", db.trace(), at);
    }
    if (!std::isfinite(samples.real(4))) continue;
    out.counter(track_of(samples.integer(0), 0), fmt::format("{} ({})", samples.text(1), samples.text(2)), at,
                fmt::format("{}", samples.real(4)));
  }
  return samples.status();
}

using StepEnds = std::map<std::int64_t, std::int64_t>;  // step -> end_ns

engine::Status write_steps(const Database& db, EventWriter& out, StepEnds& ends) {
  Statement steps =
      db.prepare("SELECT step, phase, start_ns, duration_ns, tokens, kv_reads FROM raw_steps ORDER BY id");
  while (steps.step()) {
    const std::int64_t start = steps.integer(2), duration = steps.integer(3);
    if (start < -kLatest || start > kLatest || duration < 0 || duration > kLatest) {
      return engine::bad_input("trace '{}': damaged (step {} from {} ns for {} ns)", db.trace(),
                               steps.integer(0), start, duration);
    }
    out.slice({1, kStepsTrack},
              fmt::format("{} {}", steps.integer(1) == 0 ? "prefill" : "decode", steps.integer(0)), start,
              duration,
              fmt::format(R"("step":{},"tokens":{},"kv_reads":{})", steps.integer(0), steps.integer(4),
                          steps.integer(5)));
    if (duration > 0) {
      const double rate = static_cast<double>(steps.integer(4)) * 1e9 / static_cast<double>(duration);
      out.counter(kRun, "tokens/s", start, fmt::format("{:.3f}", rate));
    }
    ends[steps.integer(0)] = start + duration;
  }
  return steps.status();
}

engine::Status write_cache(const Database& db, const engine::RunStarted& run, EventWriter& out,
                           const StepEnds& ends) {
  const auto sequences = Sequences::read(db);
  if (!sequences) return sequences.error();
  CacheWalk walk(db, run, *sequences);
  while (true) {
    const auto totals = walk.next();
    if (!totals) return totals.error();
    if (*totals == nullptr) return {};
    const auto end = ends.find((*totals)->step);
    if (end == ends.end()) continue;  // the step did not finish
    out.counter(kRun, "live slots", end->second, fmt::format("{}", (*totals)->live_slots));
    out.counter(kRun, "allocated slots", end->second, fmt::format("{}", (*totals)->allocated_slots));
    if ((*totals)->live_slots <= 0) continue;
    const double ratio =
        static_cast<double>((*totals)->dense_slots()) / static_cast<double>((*totals)->live_slots);
    out.counter(kRun, "compression ratio", end->second, fmt::format("{:.4f}", ratio));
  }
}

engine::Status write_events(const Database& db, const engine::RunStarted& run, std::ostream& stream) {
  EventWriter out(stream);
  out.name("process_name", {1, kStepsTrack}, fmt::format("{} on {}", run.model_name, run.device));
  out.name("thread_name", {1, kStepsTrack}, "steps");
  StepEnds ends;
  if (auto status = write_steps(db, out, ends); !status) return status;
  if (auto status = write_cache(db, run, out, ends); !status) return status;
  if (auto status = write_spans(db, out); !status) return status;
  if (auto status = write_counters(db, out); !status) return status;
  out.end();
  return {};
}

}  // namespace

engine::Status export_perfetto(const fs::path& trace, const fs::path& out) {
  const auto reader = TraceReader::open(trace);
  if (!reader) return reader.error();
  std::error_code error;
  if (fs::equivalent(trace, out, error)) {
    return engine::bad_input("'{}': is the trace itself, expected another file", out.string());
  }
  const Database& db = TraceAccess::database(**reader);
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status();
  std::ofstream stream(out, std::ios::binary);
  if (!stream) return engine::bad_input("'{}': cannot be written", out.string());
  if (auto status = write_events(db, (*reader)->run(), stream); !status) return status;
  stream.close();
  if (!stream) return engine::failed("'{}': cannot be written (is the disk full?)", out.string());
  return {};
}

}  // namespace profiling
