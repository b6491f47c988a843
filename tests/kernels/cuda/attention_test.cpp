#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <limits>
#include <memory>
#include <tuple>

#include "kernels/cuda/decode_attention.hpp"
#include "kernels/cuda/prefill_attention.hpp"
#include "tests/kernels/cuda/head_scenario.hpp"

namespace kernels::cuda::test {
namespace {

constexpr int kLayers = 2;
constexpr int kLayer = 1;
constexpr int kSequenceSlots = 4;
constexpr int kMaxPages = kMaxPositions / kPageSlots;

// Decode rounds what the cache holds and nothing else; its exponentials are powers of two.
constexpr float kDecodeTolerance = 1e-4f;
// Prefill rounds queries and softmax weights to 16 bits too.
constexpr float kPrefillTolerance = 3e-2f;

// Caches on the device, and one layer run over sequences of a scenario.
class Layer {
 public:
  Layer(const Device& device, const ScenarioShape& shape, const std::vector<int>& lengths, Random& random)
      : device_(device),
        shape_(shape),
        q_norm_(random.normals(shape.head_dim)),
        k_norm_(random.normals(shape.head_dim)) {
    fill_rope(shape.head_dim, cos_, sin_);
    for (const int length : lengths)
      sequences_.emplace_back(shape, length, random, q_norm_, k_norm_, cos_, sin_);
    processed_.resize(lengths.size());
    allocate();
  }

  const SequenceScenario& sequence(std::size_t i) const { return sequences_[i]; }
  int processed(std::size_t i) const { return processed_[i]; }
  const CacheView& cache() const { return cache_; }

  // The next token of each of these sequences, in rows of that order; -1: a padding row.
  void decode(const std::vector<int>& rows, int splits);
  // The next `count` tokens of a sequence in one chunk.
  void prefill(int sequence, int count);
  // What the device has of every sequence is what the host's caches have.
  void check_caches() const;
  void fork(int from, int to);
  void release(int sequence);
  std::int32_t free_pages() const { return download(device_, cache_.free_count, 1)[0]; }
  std::int32_t failures() const { return download(device_, cache_.failures, 1)[0]; }
  int pages_held() const;

 private:
  // Inputs and outputs of a launch.
  struct Rows {
    int count;
    DeviceArray<float> q, k, v, raw, logits, out;
    DeviceArray<std::uint8_t> marked;
    DeviceArray<std::int32_t> live_at;
  };
  void allocate();
  Rows gather(const std::vector<std::pair<int, int>>& tokens) const;  // (sequence or -1, position)
  HeadsInput input_of(const Rows& rows) const;
  DecisionsOutput decisions_of(const Rows& rows) const;
  void check(const Rows& rows, const std::vector<std::pair<int, int>>& tokens, float tolerance) const;
  void check_head(int sequence, int kv_head) const;
  int slot_of_sequence(int sequence) const { return kSequenceSlots - 1 - sequence; }
  std::size_t dim() const { return static_cast<std::size_t>(shape_.head_dim); }

  const Device& device_;
  ScenarioShape shape_;
  std::vector<float> q_norm_, k_norm_, cos_, sin_;
  std::vector<SequenceScenario> sequences_;
  std::vector<int> processed_;
  CacheView cache_;
  DeviceBuffer pages_, workspace_;
  DeviceArray<std::int32_t> last_query_, page_table_, live_, ring_, free_pages_, counters_;
  DeviceArray<float> device_q_norm_, device_k_norm_, device_cos_, device_sin_;
};

void Layer::allocate() {
  const auto heads = static_cast<std::size_t>(kSequenceSlots * kLayers * shape_.kv_heads);
  const std::size_t pages = 1 + 4 * kMaxPages;
  const int ring = shape_.window >= 0 ? shape_.window + 1 : 0;
  pages_ = DeviceBuffer(pages * page_bytes(shape_.head_dim));
  last_query_ = DeviceArray<std::int32_t>(pages * kPageSlots);
  page_table_ = DeviceArray<std::int32_t>(heads * kMaxPages);
  live_ = DeviceArray<std::int32_t>(heads);
  ring_ = DeviceArray<std::int32_t>(heads * static_cast<std::size_t>(ring));
  free_pages_ = DeviceArray<std::int32_t>(pages);
  counters_ = DeviceArray<std::int32_t>(2);
  cache_ = {pages_.data(),
            last_query_.data(),
            page_table_.data(),
            live_.data(),
            ring_.data(),
            free_pages_.data(),
            counters_.data(),
            counters_.data() + 1,
            static_cast<std::int32_t>(pages),
            kSequenceSlots,
            kLayers,
            shape_.kv_heads,
            shape_.head_dim,
            kMaxPages,
            shape_.window >= 0 ? shape_.window : kMaxPositions,
            ring,
            shape_.dtype};
  launch_cache_reset(cache_, device_.stream());
  device_q_norm_ = upload(device_, q_norm_);
  device_k_norm_ = upload(device_, k_norm_);
  device_cos_ = upload(device_, cos_);
  device_sin_ = upload(device_, sin_);
}

Layer::Rows Layer::gather(const std::vector<std::pair<int, int>>& tokens) const {
  const float unused = std::numeric_limits<float>::quiet_NaN();
  const std::size_t q_width = static_cast<std::size_t>(shape_.group * shape_.kv_heads) * dim();
  const std::size_t kv_width = static_cast<std::size_t>(shape_.kv_heads) * dim();
  const std::size_t count = tokens.size();
  const auto kv_heads = static_cast<std::size_t>(shape_.kv_heads);
  std::vector<float> q(count * q_width, unused), k(count * kv_width, unused), v = k,
                                                                              raw(count * kv_heads, unused);
  for (std::size_t row = 0; row < count; ++row) {
    const auto [index, position] = tokens[row];
    if (index < 0) continue;
    const SequenceScenario& sequence = sequences_[static_cast<std::size_t>(index)];
    const auto t = static_cast<std::size_t>(position);
    for (std::size_t i = 0; i < q_width; ++i) q[row * q_width + i] = sequence.q[t * q_width + i];
    for (std::size_t i = 0; i < kv_width; ++i) {
      k[row * kv_width + i] = sequence.k[t * kv_width + i];
      v[row * kv_width + i] = sequence.v[t * kv_width + i];
    }
    for (std::size_t head = 0; head < kv_heads; ++head)
      raw[head * count + row] = sequence.raw[t * kv_heads + head];
  }
  return {static_cast<int>(count),
          upload(device_, q),
          upload(device_, k),
          upload(device_, v),
          upload(device_, raw),
          DeviceArray<float>(count * kv_heads),
          DeviceArray<float>(count * q_width),
          DeviceArray<std::uint8_t>(count * kv_heads),
          DeviceArray<std::int32_t>(count * kv_heads)};
}

HeadsInput Layer::input_of(const Rows& rows) const {
  HeadsInput input;
  input.q = rows.q.data();
  input.q_stride = std::int64_t{shape_.group} * shape_.kv_heads * shape_.head_dim;
  input.k = rows.k.data();
  input.v = rows.v.data();
  input.kv_stride = std::int64_t{shape_.kv_heads} * shape_.head_dim;
  input.raw_gates = shape_.raw_gates ? rows.raw.data() : nullptr;
  input.raw_stride = rows.count;
  input.q_norm = shape_.norms ? device_q_norm_.data() : nullptr;
  input.k_norm = shape_.norms ? device_k_norm_.data() : nullptr;
  input.eps = kHeadEps;
  input.cos = device_cos_.data();
  input.sin = device_sin_.data();
  input.rows = rows.count;
  input.query_heads = shape_.group * shape_.kv_heads;
  input.kv_heads = shape_.kv_heads;
  input.head_dim = shape_.head_dim;
  input.gate = shape_.gate;
  return input;
}

DecisionsOutput Layer::decisions_of(const Rows& rows) const {
  return {rows.logits.data(), rows.marked.data(), rows.live_at.data(), rows.count};
}

void Layer::check(const Rows& rows, const std::vector<std::pair<int, int>>& tokens, float tolerance) const {
  const std::vector<float> out = download(device_, rows.out);
  const std::vector<float> logits = download(device_, rows.logits);
  const std::vector<std::uint8_t> marked = download(device_, rows.marked);
  const std::vector<std::int32_t> live_at = download(device_, rows.live_at);
  const auto kv_heads = static_cast<std::size_t>(shape_.kv_heads);
  const std::size_t width = static_cast<std::size_t>(shape_.group) * kv_heads * dim();
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    const auto [index, position] = tokens[row];
    if (index < 0) continue;
    INFO("sequence " << index << ", position " << position);
    const SequenceScenario& sequence = sequences_[static_cast<std::size_t>(index)];
    const auto t = static_cast<std::size_t>(position);
    for (std::size_t head = 0; head < kv_heads; ++head) {
      INFO("KV head " << head);
      const float want = sequence.logits[t * kv_heads + head];
      const float got = logits[head * tokens.size() + row];
      REQUIRE((std::isnan(want) ? std::isnan(got) : std::abs(got - want) <= 1e-4f * (1 + std::abs(want))));
      REQUIRE(int{marked[head * tokens.size() + row]} == int{sequence.marked[t * kv_heads + head]});
      REQUIRE(live_at[head * tokens.size() + row] == sequence.live_at[t * kv_heads + head]);
    }
    const auto part = [&](const std::vector<float>& all, std::size_t from) {
      return std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(from * width),
                                all.begin() + static_cast<std::ptrdiff_t>((from + 1) * width));
    };
    require_near(part(out, row), part(sequence.out, t), tolerance);
  }
}

void Layer::decode(const std::vector<int>& rows, int splits) {
  std::vector<std::pair<int, int>> tokens;
  std::vector<std::int32_t> slots, positions;
  for (const int index : rows) {
    const int position = index < 0 ? 0 : processed_[static_cast<std::size_t>(index)]++;
    tokens.emplace_back(index, position);
    slots.push_back(index < 0 ? -1 : slot_of_sequence(index));
    positions.push_back(position);
  }
  const Rows data = gather(tokens);
  const DeviceArray<std::int32_t> device_slots = upload(device_, slots);
  const DeviceArray<std::int32_t> device_positions = upload(device_, positions);
  DecodeAttentionArgs args;
  args.heads = input_of(data);
  args.cache = cache_;
  args.layer = kLayer;
  args.sequence_slots = device_slots.data();
  args.positions = device_positions.data();
  args.splits = splits;
  const std::size_t bytes =
      decode_workspace_bytes(data.count, args.heads.query_heads, shape_.kv_heads, shape_.head_dim, splits);
  if (workspace_.bytes() < bytes) {
    workspace_ = DeviceBuffer(bytes);
    fill_bytes_async(workspace_.data(), 0, bytes, device_.stream());
  }
  args.workspace = workspace_.data();
  args.out = data.out.data();
  args.out_stride = args.heads.q_stride;
  args.decisions = decisions_of(data);
  args.pdl = true;
  launch_decode_attention(args, device_.stream());
  check(data, tokens, kDecodeTolerance);
}

void Layer::prefill(int index, int count) {
  std::vector<std::pair<int, int>> tokens;
  int& processed = processed_[static_cast<std::size_t>(index)];
  for (int i = 0; i < count; ++i) tokens.emplace_back(index, processed + i);
  const Rows data = gather(tokens);
  const auto padded = static_cast<std::size_t>(padded_head_dim(shape_.head_dim) * shape_.kv_heads * count);
  const DeviceArray<std::uint16_t> q(padded * static_cast<std::size_t>(shape_.group));
  const DeviceArray<std::uint16_t> k(padded), v(padded);
  const DeviceArray<std::int32_t> slots(static_cast<std::size_t>(shape_.kv_heads * count));
  PrefillArgs args;
  args.heads = input_of(data);
  args.cache = cache_;
  args.layer = kLayer;
  args.sequence_slot = slot_of_sequence(index);
  args.first_position = processed;
  args.q = q.data();
  args.k = k.data();
  args.v = v.data();
  args.slots = slots.data();
  args.out = data.out.data();
  args.out_dtype = DType::f32;
  args.out_stride = args.heads.q_stride;
  args.decisions = decisions_of(data);
  launch_finish_heads(args, device_.stream());
  launch_prefill_attention(args, device_.stream());
  launch_prefill_commit(args, device_.stream());
  processed += count;
  check(data, tokens, kPrefillTolerance);
}

void Layer::check_head(int index, int kv_head) const {
  const SequenceScenario& sequence = sequences_[static_cast<std::size_t>(index)];
  const int processed = processed_[static_cast<std::size_t>(index)];
  engine::PageArena arena(engine::SlotLayout{shape_.head_dim, shape_.dtype}.page_bytes());
  const engine::HeadCache want = sequence.cache_after(processed, kv_head, arena);
  const int head = (slot_of_sequence(index) * kLayers + kLayer) * shape_.kv_heads + kv_head;
  REQUIRE(download(device_, cache_.live + head, 1)[0] == want.live());
  const auto table = download(device_, cache_.page_table + head * kMaxPages, kMaxPages);
  const auto padded = static_cast<std::size_t>(padded_head_dim(shape_.head_dim));
  for (std::int32_t slot = 0; slot < want.live(); ++slot) {
    INFO("slot " << slot);
    const std::int32_t page = table[static_cast<std::size_t>(slot / kPageSlots)];
    REQUIRE(page > kScratchPage);
    if (cache_.ring_size > 0) {
      REQUIRE(download(device_, cache_.last_query + page * kPageSlots + slot % kPageSlots, 1)[0] ==
              want.last_query(slot));
    }
    const auto* rows = reinterpret_cast<const std::uint16_t*>(cache_.pages + static_cast<std::size_t>(page) *
                                                                                 page_bytes(shape_.head_dim));
    const auto key = download(device_, rows + static_cast<std::size_t>(slot % kPageSlots) * padded, padded);
    const auto value =
        download(device_, rows + static_cast<std::size_t>(kPageSlots + slot % kPageSlots) * padded, padded);
    const auto position = static_cast<std::size_t>(want.positions()[static_cast<std::size_t>(slot)]);
    const std::size_t from =
        (position * static_cast<std::size_t>(shape_.kv_heads) + static_cast<std::size_t>(kv_head)) * dim();
    bool same = true;
    for (std::size_t d = 0; d < padded; ++d) {
      const float got_key = from_bits(shape_.dtype, key[d]);
      const float want_key = d < dim() ? sequence.finished_k[from + d] : 0.0f;
      same &= std::abs(got_key - want_key) <= 0x1p-8f * (0.01f + std::abs(want_key));
      const float want_value = d < dim() ? sequence.v[from + d] : 0.0f;
      same &= value[d] == to_bits(shape_.dtype, want_value);
    }
    REQUIRE(same);
  }
}

void Layer::check_caches() const {
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    for (int kv_head = 0; kv_head < shape_.kv_heads; ++kv_head) {
      INFO("sequence " << i << ", KV head " << kv_head);
      check_head(static_cast<int>(i), kv_head);
    }
  }
  REQUIRE(failures() == 0);
  REQUIRE(free_pages() + pages_held() == cache_.page_count - 1);
}

int Layer::pages_held() const {
  int pages = 0;
  for (const std::int32_t live : download(device_, live_)) pages += (live + kPageSlots - 1) / kPageSlots;
  return pages;
}

void Layer::fork(int from, int to) {
  launch_cache_fork(cache_, slot_of_sequence(from), slot_of_sequence(to), device_.stream());
  sequences_[static_cast<std::size_t>(to)] = sequences_[static_cast<std::size_t>(from)];
  processed_[static_cast<std::size_t>(to)] = processed_[static_cast<std::size_t>(from)];
}

void Layer::release(int sequence) {
  launch_cache_release(cache_, slot_of_sequence(sequence), device_.stream());
  processed_[static_cast<std::size_t>(sequence)] = 0;
}

GateRule dms(float offset = 0, int lag = 0) {
  GateRule rule;
  rule.judge = JudgeRule::threshold;
  rule.has_gates = true;
  rule.scale = 3;
  rule.offset = offset;
  rule.lag = lag;
  return rule;
}

ScenarioShape shape_of(int group, int head_dim, int window, const GateRule& gate) {
  ScenarioShape shape;
  shape.group = group;
  shape.head_dim = head_dim;
  shape.window = window;
  shape.gate = gate;
  return shape;
}

// Every group, head size, form of gate, policy and lag at least once; windows of nothing, of less than a
// page, of more.
std::vector<ScenarioShape> scenarios() {
  std::vector<ScenarioShape> all = {
      shape_of(1, 64, 5, dms()),        shape_of(2, 8, 0, dms()),       shape_of(3, 80, 0, dms(0, 1)),
      shape_of(4, 128, 16, dms(-1, 1)), shape_of(5, 6, 1, dms(1, 1)),   shape_of(6, 96, 33, dms()),
      shape_of(7, 30, 20, dms(-3)),     shape_of(8, 256, 7, dms(0, 1)), shape_of(4, 64, -1, dms()),
  };
  ScenarioShape borrowed = shape_of(4, 16, 12, dms(0, 1));
  borrowed.gate.borrowed_neuron = true;
  all.push_back(borrowed);
  borrowed.raw_gates = false;
  borrowed.gate.zero_after_rope = true;
  borrowed.norms = true;
  all.push_back(borrowed);
  borrowed.gate.per_layer = true;
  borrowed.dtype = DType::f16;
  all.push_back(borrowed);
  GateRule rule;
  rule.judge = JudgeRule::window;
  rule.sinks = 4;
  all.push_back(shape_of(2, 64, 10, rule));
  rule.judge = JudgeRule::key_norm;
  rule.threshold = 8;
  all.push_back(shape_of(2, 64, 10, rule));
  all.push_back(shape_of(3, 64, -1, GateRule{}));
  return all;
}

TEST_CASE("decode equals a dense softmax over the visible tokens, slots as the host has them",
          "[cuda][attention]") {
  const Device device;
  Random random(1);
  for (const ScenarioShape& shape : scenarios()) {
    INFO("group " << shape.group << ", head_dim " << shape.head_dim << ", window " << shape.window << ", lag "
                  << shape.gate.lag);
    Layer layer(device, shape, {40, 9, 23}, random);
    for (int step = 0; step < 40; ++step) {  // sequences of different lengths come and go; a row is padding
      std::vector<int> rows;
      if (step >= 17 && step < 26) rows.push_back(1);
      if (step % 3 == 0) rows.push_back(-1);
      rows.push_back(0);
      if (step < 23) rows.push_back(2);
      layer.decode(rows, 1);
    }
    layer.check_caches();
  }
}

TEST_CASE("a prefill chunk of any length equals token by token", "[cuda][attention]") {
  const Device device;
  Random random(2);
  for (const ScenarioShape& shape : scenarios()) {
    INFO("group " << shape.group << ", head_dim " << shape.head_dim << ", window " << shape.window << ", lag "
                  << shape.gate.lag);
    Layer layer(device, shape, {97, 30}, random);
    layer.prefill(0, 1);
    layer.prefill(0, 29);
    layer.prefill(1, 30);
    layer.prefill(0, 64);
    layer.check_caches();
    for (int i = 0; i < 3; ++i) layer.decode({0}, 1);
    layer.check_caches();
  }
}

TEST_CASE("a chunk sees a cache of several tiles, and itself where it is as long", "[cuda][attention]") {
  const Device device;
  Random random(6);
  const int dim = GENERATE(64, 96, 128, 256, 80);  // all of a tile's channels, or not
  Layer layer(device, shape_of(2, dim, 40, dms(1)), {360, 5}, random);
  layer.prefill(0, 150);
  layer.prefill(0, 64);
  layer.prefill(0, 129);
  layer.prefill(1, 5);
  layer.prefill(0, 2);
  layer.check_caches();
}

TEST_CASE("slots split among blocks give the same as one block", "[cuda][attention]") {
  const Device device;
  Random random(3);
  const auto [splits, dtype] = GENERATE(std::pair{2, DType::f16}, std::pair{7, DType::bf16});
  ScenarioShape shape = shape_of(2, 64, 60, dms(4));  // keeps nearly everything
  shape.dtype = dtype;
  Layer layer(device, shape, {320, 6, 130}, random);
  layer.prefill(0, 300);
  layer.prefill(2, 124);  // about to need another split
  for (int i = 0; i < 4; ++i) layer.decode({0, -1, 1, 2}, splits);
  // Batches of different sizes share a workspace.
  std::vector<int> wide(50, -1);
  wide[0] = 0;
  wide[48] = 2;
  layer.decode(wide, splits);
  layer.decode({0, 1}, splits);
  wide[47] = 1;
  layer.decode(wide, splits);
  layer.check_caches();
}

TEST_CASE("results of many blocks are merged, whichever of them have work", "[cuda][attention]") {
  const Device device;
  Random random(6);
  const auto [group, head_dim, tokens] = GENERATE(std::tuple{1, 8, 2210}, std::tuple{3, 80, 700});
  Layer layer(device, shape_of(group, head_dim, -1, GateRule{}), {tokens, 70, 4}, random);
  layer.prefill(0, tokens - 4);
  layer.prefill(1, 63);
  for (const int splits : {64, 33, 11, 1}) layer.decode({1, 0, -1, 2}, splits);
  layer.check_caches();
}

TEST_CASE("a window wider than what a block settles at once keeps slots in order", "[cuda][attention]") {
  const Device device;
  Random random(4);
  Layer layer(device, shape_of(1, 8, 290, dms()), {400}, random);
  layer.prefill(0, 310);
  layer.prefill(0, 87);
  layer.decode({0}, 1);
  layer.check_caches();
}

TEST_CASE("a forked sequence goes on by itself, a released one gives its pages back", "[cuda][attention]") {
  const Device device;
  Random random(5);
  Layer layer(device, shape_of(2, 16, 6, dms(0, 1)), {50, 1}, random);
  layer.prefill(0, 37);
  layer.fork(0, 1);
  layer.check_caches();
  for (int i = 0; i < 5; ++i) layer.decode({0}, 1);  // the copy stays behind
  layer.check_caches();
  for (int i = 0; i < 9; ++i) layer.decode({1}, 1);
  layer.check_caches();
  layer.release(0);
  layer.check_caches();
  layer.prefill(0, 20);  // the slot serves again
  layer.check_caches();
  layer.release(0);
  layer.release(1);
  REQUIRE(layer.pages_held() == 0);
  REQUIRE(layer.free_pages() == layer.cache().page_count - 1);
}

TEST_CASE("heads that no kernel is compiled for are refused", "[cuda][attention]") {
  const Device device;
  DecodeAttentionArgs args;
  args.heads.rows = 1;
  args.heads.kv_heads = 1;
  args.heads.query_heads = GENERATE(1, 9);
  args.heads.head_dim = args.heads.query_heads == 1 ? 258 : 64;
  REQUIRE_THROWS_AS(launch_decode_attention(args, device.stream()), std::invalid_argument);
}

TEST_CASE("splits fill the device once, where heads are long enough", "[cuda][attention]") {
  REQUIRE(decode_splits(660, 8, 8, 8192) == 10);  // 640 blocks: an eleventh would have to wait
  REQUIRE(decode_splits(660, 8, 8, 130) == 3);
  REQUIRE(decode_splits(660, 1, 8, 131072) == 64);
  REQUIRE(decode_splits(660, 700, 1, 8192) == 1);
  REQUIRE(decode_splits(0, 1, 1, 8192) == 1);
}

TEST_CASE("every kernel of decode attention fits on a multiprocessor", "[cuda][attention]") {
  need_gpu();
  for (const DType dtype : {DType::bf16, DType::f16}) {
    for (const int group : {1, 2, 3, 4, 5, 8}) {
      for (const int head_dim : {64, 128, 256}) {
        INFO("group " << group << ", head_dim " << head_dim);
        const int blocks = decode_blocks_at_once(1, dtype, group, 1, head_dim);
        REQUIRE(blocks > 0);
        REQUIRE(decode_blocks_at_once(10, dtype, 2 * group, 2, head_dim) == 10 * blocks);
      }
    }
  }
}

TEST_CASE("more splits than a block can merge are refused", "[cuda][attention]") {
  const Device device;
  DecodeAttentionArgs args;
  args.heads.rows = 1;
  args.heads.kv_heads = 1;
  args.heads.query_heads = 1;
  args.heads.head_dim = 64;
  args.splits = GENERATE(0, 65);
  REQUIRE_THROWS_AS(launch_decode_attention(args, device.stream()), std::invalid_argument);
}

}  // namespace
}  // namespace kernels::cuda::test
