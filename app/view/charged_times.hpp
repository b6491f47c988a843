// Which part of the time that a GPU's kernel ran it is charged with.
//
// A kernel that is launched before its predecessor has ended (programmatic dependent launch) starts early and
// waits inside, so that the times of neighbours overlap. Each is charged from the latest end before it on its
// (device, stream): what a stream is charged with is the time in which it was busy, and never more. One that
// ran wholly inside an earlier one is charged nothing. The CPU's spans are charged whole.
//
// Goes on from what it has when the run grows; spans may come late and in any order, which changes nothing
// about the result. Numbers are those of TimelineIndex: counted from the run's start.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "app/view/run_snapshot.hpp"

namespace app::view {

// The order in which spans of one stream are charged: by start, and the same whichever came first.
bool runs_before(const engine::Span& a, const engine::Span& b);

class ChargedTimes {
 public:
  void update(const RunSnapshot& run);

  // Where what the span is charged with begins; after its end if that is nothing. Never decreases along the
  // spans of a stream. The span must not have been dropped.
  std::int64_t from_ns(std::int64_t number) const {
    return from_ns_[static_cast<std::size_t>(number - first_)];
  }
  // The span, cut to what it is charged with.
  engine::Span charged(std::int64_t number) const;

 private:
  using Stream = std::pair<std::int16_t, std::int32_t>;  // device, stream

  const engine::Span& span(std::int64_t number) const {
    return spans_[static_cast<std::size_t>(number - spans_.dropped())];
  }
  void forget_before(std::int64_t number);
  void merge_in(std::vector<std::int64_t>& stream, std::vector<std::int64_t> fresh);
  void charge(const std::vector<std::int64_t>& stream, std::size_t from);

  std::uint64_t run_id_ = 0;
  std::int64_t first_ = 0;  // number of from_ns_.front()
  SpanView spans_;
  std::vector<std::int64_t> from_ns_;
  std::map<Stream, std::vector<std::int64_t>> streams_;  // of GPUs: numbers, as runs_before() orders them
};

}  // namespace app::view
