#include "profiling/occupancy_run.hpp"

#include "profiling/byte_codec.hpp"
#include "profiling/schema.hpp"

namespace profiling {
namespace {

std::optional<std::vector<std::int32_t>> from_blob(BlobView blob, std::size_t heads) {
  if (blob.size() != heads * 4) return std::nullopt;
  std::vector<std::int32_t> slots(heads);
  for (std::size_t i = 0; i < heads; ++i) slots[i] = static_cast<std::int32_t>(get_u32(blob, 4 * i));
  return slots;
}

// Hostile numbers may be anywhere in the range of an int32.
std::int32_t plus(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

std::int32_t pages_by_rule(std::int32_t live, std::int32_t allocated, std::int32_t page_slots) {
  return live > allocated ? plus(allocated, page_slots) : allocated;
}

}  // namespace

Blob to_blob(std::span<const std::int32_t> slots) {
  Blob blob;
  blob.reserve(slots.size() * 4);
  for (const std::int32_t value : slots) put_u32(blob, static_cast<std::uint32_t>(value));
  return blob;
}

std::size_t OccupancyRun::bytes() const {
  return first.live.size() * 8 + live_bits.size() + (allocated_bits ? allocated_bits->size() : 0);
}

std::optional<OccupancyRun> OccupancyRun::from_row(const Statement& row, std::size_t heads) {
  OccupancyRun run{row.integer(0), row.integer(1), row.integer(2), row.integer(3), {}, {}, std::nullopt};
  auto live = from_blob(row.blob(4), heads);
  auto allocated = from_blob(row.blob(5), heads);
  if (!live || !allocated || run.steps < 1 || run.steps > kOccupancyRunSteps) return std::nullopt;
  if (run.first_step < -(1LL << 62) || run.first_step > (1LL << 62)) return std::nullopt;
  run.first = {std::move(*live), std::move(*allocated)};
  const std::size_t bits = static_cast<std::size_t>(run.steps - 1) * run.stride();
  const BlobView live_bits = row.blob(6);
  if (live_bits.size() != bits) return std::nullopt;
  run.live_bits.assign(live_bits.begin(), live_bits.end());
  if (row.is_null(7)) return run;
  const BlobView page_bits = row.blob(7);
  if (page_bits.size() != bits) return std::nullopt;
  run.allocated_bits.emplace(page_bits.begin(), page_bits.end());
  return run;
}

void OccupancyRun::advance(OccupancyState& state, std::int64_t step, std::int32_t page_slots) const {
  const std::size_t row = static_cast<std::size_t>(step - 1) * stride();
  const BlobView live_row = BlobView(live_bits).subspan(row, stride());
  for (std::size_t head = 0; head < state.live.size(); ++head) {
    if (get_bit(live_row, head)) state.live[head] = plus(state.live[head], 1);
    if (allocated_bits) {
      const bool grew = get_bit(BlobView(*allocated_bits).subspan(row, stride()), head);
      if (grew) state.allocated[head] = plus(state.allocated[head], page_slots);
    } else {
      state.allocated[head] = pages_by_rule(state.live[head], state.allocated[head], page_slots);
    }
  }
}

OccupancyRunBuilder::OccupancyRunBuilder(std::int64_t id, std::int64_t sequence, std::int64_t step,
                                         const OccupancyState& state)
    : run_{id, sequence, step, 1, state, {}, std::nullopt}, last_(state) {}

// Whether the run may go on with bits for pages: only from its first state on, or if it has them already.
bool OccupancyRunBuilder::use_page_bits(std::int32_t page_slots, const OccupancyState& state) {
  for (std::size_t head = 0; head < state.live.size(); ++head) {
    const std::int32_t grown = state.allocated[head] - last_.allocated[head];
    if (grown != 0 && grown != page_slots) return false;
  }
  if (!run_.allocated_bits && run_.steps > 1) return false;
  if (!run_.allocated_bits) run_.allocated_bits.emplace();
  return true;
}

bool OccupancyRunBuilder::append(std::int64_t step, const OccupancyState& state, std::int32_t page_slots) {
  if (run_.steps == kOccupancyRunSteps || step != run_.first_step + run_.steps) return false;
  bool by_rule = !run_.allocated_bits;
  for (std::size_t head = 0; head < state.live.size(); ++head) {
    const std::int32_t gained = state.live[head] - last_.live[head];
    if (gained != 0 && gained != 1) return false;
    by_rule = by_rule &&
              state.allocated[head] == pages_by_rule(state.live[head], last_.allocated[head], page_slots);
  }
  if (!by_rule && !use_page_bits(page_slots, state)) return false;

  const std::size_t row = run_.live_bits.size();
  run_.live_bits.resize(row + run_.stride());
  if (run_.allocated_bits) run_.allocated_bits->resize(row + run_.stride());
  for (std::size_t head = 0; head < state.live.size(); ++head) {
    if (state.live[head] != last_.live[head]) set_bit(std::span(run_.live_bits).subspan(row), head);
    if (run_.allocated_bits && state.allocated[head] != last_.allocated[head]) {
      set_bit(std::span(*run_.allocated_bits).subspan(row), head);
    }
  }
  last_ = state;
  ++run_.steps;
  return true;
}

}  // namespace profiling
