// A made-up run: the events that an engine would emit, with random gates and the cache state they lead to.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/events/events.hpp"

namespace profiling_test {

struct SyntheticOptions {
  std::int32_t layers = 2;
  std::int32_t kv_heads = 3;
  std::int32_t prompt_tokens = 40;
  std::int32_t prefill_chunk = 16;
  std::int32_t chains = 1;  // further ones fork from sequence 0 at the prompt's end
  std::int32_t window = 8;
  std::int32_t lag = 1;
  std::int32_t page_slots = 4;
  std::int32_t spans_per_step = 3;
  bool closed_form = true;  // false: marked tokens are evicted through TokensEvicted
  unsigned seed = 1;
};

class SyntheticRun {
 public:
  explicit SyntheticRun(const SyntheticOptions& options);

  void start(engine::EventSink& sink);           // RunStarted, prompt, prefill steps, forks
  engine::Step decode(engine::EventSink& sink);  // one step of all chains; returns its number
  void finish(engine::EventSink& sink);

 private:
  struct Chain {
    std::int32_t processed = 0;
    std::int32_t judged = 0;
    std::vector<std::vector<bool>> marked;  // [heads][judged]
    std::vector<std::int32_t> live;         // [heads]
    std::vector<std::int32_t> allocated;    // [heads]
  };

  std::size_t heads() const;
  void process(engine::EventSink& sink, std::int32_t sequence, std::int32_t tokens);
  void judge(engine::EventSink& sink, std::int32_t sequence);
  void evict(engine::EventSink& sink, std::int32_t sequence, std::int32_t tokens);
  void end_step(engine::EventSink& sink, engine::Phase phase, std::int32_t tokens);

  SyntheticOptions options_;
  std::mt19937 random_;
  std::vector<Chain> chains_;
  engine::Step step_ = 0;
  std::int64_t now_ns_ = 1'000'000;
};

// The whole of it: prompt, `decode_steps` steps, end.
void emit_run(engine::EventSink& sink, const SyntheticOptions& options, int decode_steps);

// Collects events.
struct Recording : engine::EventSink {
  std::vector<engine::Event> events;
  void on_event(engine::Event event) override { events.push_back(std::move(event)); }
};

// Hands every event to two sinks.
struct Tee : engine::EventSink {
  Tee(engine::EventSink& a, engine::EventSink& b) : first(a), second(b) {}
  engine::EventSink& first;
  engine::EventSink& second;
  void on_event(engine::Event event) override {
    first.on_event(event);
    second.on_event(std::move(event));
  }
};

}  // namespace profiling_test
