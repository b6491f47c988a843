#include "profiling/event_log.hpp"

#include "profiling/byte_codec.hpp"

namespace profiling {
namespace {

// Wrapping arithmetic: hostile numbers must not overflow a signed one.
std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t subtract(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

bool counts_rows(EventKind kind) {
  return kind == EventKind::spans_recorded || kind == EventKind::kernels_named ||
         kind == EventKind::counters_sampled;
}

}  // namespace

void EventLogCodec::encode(const EventLogEntry& entry, Blob& out) {
  put_u8(out, static_cast<unsigned>(entry.kind));
  if (entry.kind == EventKind::gates_decided) {
    std::int64_t& next = next_position_[entry.sequence];
    put_varint(out, entry.sequence);
    put_varint(out, subtract(entry.first_position, next));
    put_varint(out, entry.count);
    put_varint(out, subtract(entry.step, gates_step_));
    next = add(entry.first_position, entry.count);
    gates_step_ = entry.step;
  } else if (entry.kind == EventKind::occupancy_changed) {
    put_varint(out, entry.sequence);
  } else if (counts_rows(entry.kind)) {
    put_varint(out, entry.count);
  }
}

bool EventLogCodec::decode(BlobView in, std::size_t& at, EventLogEntry& entry) {
  if (at >= in.size() || in[at] > static_cast<std::uint8_t>(EventKind::records_lost)) return false;
  entry = {};
  entry.kind = static_cast<EventKind>(in[at++]);
  if (entry.kind == EventKind::gates_decided) {
    std::int64_t position = 0, step = 0;
    if (!get_varint(in, at, entry.sequence) || !get_varint(in, at, position) ||
        !get_varint(in, at, entry.count) || !get_varint(in, at, step)) {
      return false;
    }
    std::int64_t& next = next_position_[entry.sequence];
    entry.first_position = add(next, position);
    entry.step = add(gates_step_, step);
    next = add(entry.first_position, entry.count);
    gates_step_ = entry.step;
    return true;
  }
  if (entry.kind == EventKind::occupancy_changed) return get_varint(in, at, entry.sequence);
  if (counts_rows(entry.kind)) return get_varint(in, at, entry.count);
  return true;
}

}  // namespace profiling
