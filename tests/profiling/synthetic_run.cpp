#include "tests/profiling/synthetic_run.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace profiling_test {

SyntheticRun::SyntheticRun(const SyntheticOptions& options) : options_(options), random_(options.seed) {
  Chain empty;
  empty.marked.resize(heads());
  empty.live.assign(heads(), 0);
  empty.allocated.assign(heads(), 0);
  chains_.push_back(empty);
}

std::size_t SyntheticRun::heads() const {
  return static_cast<std::size_t>(options_.layers * options_.kv_heads);
}

void SyntheticRun::start(engine::EventSink& sink) {
  engine::RunStarted run;
  run.start_unix_ns = 1'700'000'000'123'456'789;
  run.program_version = "0.1.0";
  run.model_name = "synthetic";
  run.architecture = "qwen3";
  run.weight_dtype = "bf16";
  run.shape = {options_.layers, options_.kv_heads * 4, options_.kv_heads, 128, 4096, 151936, 40960};
  run.device = "cpu: test";
  run.backend = "cpu";
  run.policy = options_.closed_form ? "dms" : "tova";
  run.closed_form = options_.closed_form;
  run.window = options_.window;
  run.lag = options_.lag;
  run.gate_form = "adapter";
  run.chains = options_.chains;
  run.seed = 18'000'000'000'000'000'000u;
  run.prompt = "What is \"delayed eviction\",\nand why? \xe2\x9c\x93";
  run.page_slots = options_.page_slots;
  run.slot_bytes = 512;
  run.operations = {"attention", "mlp", "lm_head"};
  run.kernels = {"attention_decode", "matmul"};
  sink.on_event(run);
  sink.on_event(engine::Notice{"no GPU was found, running on the CPU"});
  sink.on_event(engine::ParameterChanged{0, "threshold", "0"});
  sink.on_event(engine::SequenceStarted{0, -1, 0});
  for (std::int32_t done = 0; done < options_.prompt_tokens;) {
    const std::int32_t tokens = std::min(options_.prefill_chunk, options_.prompt_tokens - done);
    process(sink, 0, tokens);
    end_step(sink, engine::Phase::prefill, tokens);
    done += tokens;
  }
  for (std::int32_t chain = 1; chain < options_.chains; ++chain) {
    sink.on_event(engine::SequenceStarted{chain, 0, options_.prompt_tokens});
    chains_.push_back(chains_[0]);
  }
}

engine::Step SyntheticRun::decode(engine::EventSink& sink) {
  for (std::int32_t chain = 0; chain < options_.chains; ++chain) process(sink, chain, 1);
  end_step(sink, engine::Phase::decode, options_.chains);
  return step_ - 1;
}

void SyntheticRun::finish(engine::EventSink& sink) {
  sink.on_event(engine::TokenAdded{0, chains_[0].processed, 2, "</s>", engine::Phase::decode, -1});
  sink.on_event(engine::QualityMeasured{0, 3, "kl", 0.125});
  sink.on_event(engine::RunFinished{now_ns_, "length"});
}

// Tokens enter, are judged and push marked ones out, as delayed eviction says.
void SyntheticRun::process(engine::EventSink& sink, std::int32_t sequence, std::int32_t tokens) {
  Chain& chain = chains_[static_cast<std::size_t>(sequence)];
  const bool prompt = sequence == 0 && chain.processed < options_.prompt_tokens;
  for (std::int32_t i = 0; i < tokens; ++i) {
    const auto id = static_cast<engine::TokenId>(random_() % 49'152);
    sink.on_event(engine::TokenAdded{sequence, chain.processed + i, id, fmt::format(" t{}", id % 997),
                                     prompt ? engine::Phase::prefill : engine::Phase::decode, step_});
  }
  chain.processed += tokens;
  judge(sink, sequence);
  evict(sink, sequence, tokens);
  sink.on_event(engine::OccupancyChanged{sequence, step_, chain.live, chain.allocated});
}

void SyntheticRun::judge(engine::EventSink& sink, std::int32_t sequence) {
  Chain& chain = chains_[static_cast<std::size_t>(sequence)];
  const std::int32_t count = chain.processed - options_.lag - chain.judged;
  if (count <= 0) return;
  engine::GatesDecided gates{sequence, chain.judged, count, step_, {}, {}};
  std::normal_distribution<float> logit(1.0f, 4.0f);
  for (std::size_t head = 0; head < heads(); ++head) {
    for (std::int32_t i = 0; i < count; ++i) {
      gates.logits.push_back(logit(random_));
      gates.marked.push_back(gates.logits.back() > 0 ? 1 : 0);
      chain.marked[head].push_back(gates.logits.back() > 0);
    }
  }
  chain.judged += count;
  sink.on_event(std::move(gates));
}

void SyntheticRun::evict(engine::EventSink& sink, std::int32_t sequence, std::int32_t tokens) {
  Chain& chain = chains_[static_cast<std::size_t>(sequence)];
  engine::TokensEvicted evicted{sequence, step_, {}};
  for (std::size_t head = 0; head < heads(); ++head) {
    chain.live[head] += tokens;
    for (std::int32_t s = chain.processed - tokens; s < chain.processed; ++s) {
      const std::int32_t t = s - options_.window - 1;
      if (t < 0 || !chain.marked[head][static_cast<std::size_t>(t)]) continue;
      --chain.live[head];
      const auto flat = static_cast<std::int32_t>(head);
      evicted.tokens.push_back({flat / options_.kv_heads, flat % options_.kv_heads, t});
    }
    while (chain.allocated[head] < chain.live[head]) chain.allocated[head] += options_.page_slots;
  }
  if (!options_.closed_form && !evicted.tokens.empty()) sink.on_event(std::move(evicted));
}

void SyntheticRun::end_step(engine::EventSink& sink, engine::Phase phase, std::int32_t tokens) {
  const std::int64_t start_ns = now_ns_;
  engine::SpansRecorded recorded;
  for (std::int32_t i = 0; i < options_.spans_per_step; ++i) {
    const std::int64_t span_ns = 40'000 + static_cast<std::int64_t>(random_() % 20'000);
    engine::Span span{now_ns_, now_ns_ + span_ns, step_, -1, 2, 1, -1, 0};
    if (i % 5 != 4) {
      span.layer = static_cast<std::int16_t>(i % options_.layers);
      span.operation = static_cast<std::int16_t>(i % 2);
      span.kernel = static_cast<std::int16_t>(i % 2);
    }
    recorded.spans.push_back(span);
    now_ns_ += span_ns + 1'000;
  }
  now_ns_ += 10'000;
  std::int64_t reads = 0;
  for (const Chain& chain : chains_) {
    for (const std::int32_t live : chain.live) reads += live;
  }
  if (options_.spans_per_step > 0) sink.on_event(std::move(recorded));
  sink.on_event(engine::StepFinished{step_, phase, start_ns, now_ns_, tokens, reads});
  now_ns_ += 1'000;
  ++step_;
}

void emit_run(engine::EventSink& sink, const SyntheticOptions& options, int decode_steps) {
  SyntheticRun run(options);
  run.start(sink);
  for (int i = 0; i < decode_steps; ++i) run.decode(sink);
  run.finish(sink);
}

}  // namespace profiling_test
