#include "profiling/gpu/record_tally.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <utility>

using namespace profiling;

namespace {

// Hands over what the test says.
class Told final : public engine::GpuProfiler {
 public:
  void start_run(std::int64_t) override {}
  void take(engine::GpuRecords& out) override { out = std::exchange(next, {}); }
  void finish_run(engine::GpuRecords& out) override { take(out); }
  void enter(const engine::GpuScope&) override {}
  void leave() override {}
  void enter_graph(engine::Step, engine::Phase, std::int64_t) override {}
  void leave_graph() override {}
  void cache_bytes(engine::Step, std::span<const std::int64_t>) override {}
  void name_stream(void*, std::string_view) override {}
  bool times_kernels() const override { return true; }

  engine::GpuRecords next;
};

engine::Span span_of(engine::Step step, std::int16_t operation, std::int16_t device = 0) {
  engine::Span span;
  span.step = step;
  span.operation = operation;
  span.device = device;
  return span;
}

}  // namespace

TEST_CASE("RecordTally, counts what a run recorded and passes it on") {
  Told told;
  RecordTally tally(told);
  tally.start_run(0);
  engine::GpuRecords records;
  told.next.spans = {span_of(0, 3), span_of(0, 4), span_of(1, engine::kWholeGraph),
                     span_of(0, engine::kWholeGraph, -1)};  // the last is a call
  tally.take(records);
  told.next.spans = {span_of(1, 3), span_of(1, 3), span_of(-1, engine::kUnattributed)};
  told.next.losses = {{"untimed", 2, ""}, {"missing_nodes", 1, ""}, {"dropped", 7, ""}};
  told.next.notices = {"detailed profiling ended at step 1: why"};
  tally.finish_run(records);
  CHECK(records.spans.size() == 7);
  const RecordCounts& counts = tally.counts();
  CHECK(counts.kernels == 5);
  CHECK(counts.graphs == 1);
  CHECK(counts.unattributed == 1);
  CHECK(counts.untimed == 2);
  CHECK(counts.missing_nodes == 1);
  CHECK(counts.dropped == 7);
  CHECK(counts.least_per_step() == 2);
  CHECK(counts.most_per_step() == 3);
  CHECK(counts.attributed_fraction() == Catch::Approx(5.0 / 9));
  CHECK(counts.notice == "detailed profiling ended at step 1: why");
  tally.start_run(0);
  CHECK(tally.counts().kernels == 0);
  CHECK(tally.counts().attributed_fraction() == 0);
}
