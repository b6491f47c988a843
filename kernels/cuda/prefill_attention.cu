#include "kernels/cuda/judgement.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefill.cuh"

namespace kernels::cuda {

namespace {

constexpr float kLog2E = 1.4426950408889634f;  // scores are in units of it, so that weights are powers of two

// A block's lanes are (query, query head) pairs of one KV head, neighbouring queries together; 16 to a warp.
constexpr int kLanes = 64;
constexpr int kWarps = kLanes / 16;
constexpr int kThreads = kWarps * kWarp;
constexpr int kKeys = 64;  // of a tile
constexpr int kKeyTiles = kKeys / 8;
constexpr int kValueStride = kKeys + 8;  // of a channel's values: eight channels lie on different banks

// One tile of keys in shared memory: rows of keys, and values by channel, because a product wants neighbours
// along its inner dimension, which for values are keys.
template <typename T, int kDim>
struct KeyTile {
  static constexpr int kStride = kDim + 32;  // eight lanes that read together touch every bank once
  T keys[kKeys][kStride];
  T values[kDim][kValueStride];
  std::int32_t position[kKeys];    // first position that sees the key
  std::int32_t last_query[kKeys];  // last; below the first for what is no key
};

struct KeySource {
  const void* key;
  const void* value;
  std::int32_t position, last_query;
};

// Candidate keys: the cache's slots in their order, then the chunk's own tokens.
template <typename T>
struct CachedKeys {
  const CacheView& cache;
  std::int64_t head;
  std::int32_t count;

  __device__ KeySource find(std::int32_t slot) const {
    const std::int32_t page = page_of(cache, head, slot);
    const int row = slot % kPageSlots;
    const int stride = padded_head_dim(cache.head_dim);
    const T* rows = page_rows<T>(cache, page);
    const std::int32_t last = cache.ring_size > 0
                                  ? cache.last_query[static_cast<std::int64_t>(page) * kPageSlots + row]
                                  : kEveryQuery;
    return {rows + row * stride, rows + (kPageSlots + row) * stride, 0, last};
  }
};

template <typename T>
struct OwnKeys {
  const PrefillArgs& args;
  int kv_head;
  std::int32_t count;

  __device__ KeySource find(std::int32_t i) const {
    const std::int64_t row =
        (static_cast<std::int64_t>(i) * args.heads.kv_heads + kv_head) * padded_head_dim(args.heads.head_dim);
    return {static_cast<const T*>(args.k) + row, static_cast<const T*>(args.v) + row, args.first_position + i,
            own_last_query(args, kv_head, i)};
  }
};

template <typename T, int kDim, typename Keys>
__device__ void load_tile(KeyTile<T, kDim>& tile, const Keys& keys, std::int32_t first, int dim) {
  constexpr int kWords = kDim / 8;
  // Neighbouring threads take neighbouring keys, so that their values of one channel go to neighbouring
  // places.
  for (int i = static_cast<int>(threadIdx.x); i < kKeys * kWords; i += kThreads) {
    const int row = i % kKeys;
    const int d = i / kKeys * 8;
    const bool exists = first + row < keys.count;
    KeySource source{nullptr, nullptr, 0, -1};
    if (exists) source = keys.find(first + row);
    const bool valid = exists && d < padded_head_dim(dim);
    const uint4 key =
        valid ? *reinterpret_cast<const uint4*>(static_cast<const T*>(source.key) + d) : uint4{};
    const uint4 value =
        valid ? *reinterpret_cast<const uint4*>(static_cast<const T*>(source.value) + d) : uint4{};
    *reinterpret_cast<uint4*>(&tile.keys[row][d]) = key;
    const unsigned words[4] = {value.x, value.y, value.z, value.w};
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      tile.values[d + j][row] =
          T{static_cast<std::uint16_t>(j % 2 == 0 ? words[j / 2] & 0xffffu : words[j / 2] >> 16)};
    }
    if (d == 0) tile.position[row] = source.position, tile.last_query[row] = source.last_query;
  }
}

// A warp's 16 lanes: their queries in registers, and the running softmax over the tiles seen so far. Of the
// 16 rows of every product a thread holds g and g + 8 (g = lane / 4).
template <typename T, int kDim>
class WarpAttention {
 public:
  __device__ WarpAttention(const PrefillArgs& args, int kv_head, int first_lane);
  __device__ void add(const KeyTile<T, kDim>& tile, float scale);
  __device__ void store(const PrefillArgs& args, int kv_head, int first_lane);

 private:
  static constexpr int kSteps = kDim / 32;
  static constexpr int kValueTiles = kDim / 8;
  static constexpr float kNothing = -__builtin_huge_valf();

  __device__ void scores_of(const KeyTile<T, kDim>& tile, float (&scores)[kKeyTiles][4]) const;
  __device__ void mask(const KeyTile<T, kDim>& tile, float scale, float (&scores)[kKeyTiles][4]) const;
  __device__ void weigh(float (&scores)[kKeyTiles][4]);
  __device__ void add_values(const KeyTile<T, kDim>& tile, const float (&weights)[kKeyTiles][4]);

  uint4 q_[2][kSteps];        // rows g, g + 8
  std::int32_t position_[2];  // of their queries
  float max_[2] = {kNothing, kNothing};
  float sum_[2] = {};  // over this thread's keys
  float out_[kValueTiles][4] = {};
};

template <typename T, int kDim>
__device__ WarpAttention<T, kDim>::WarpAttention(const PrefillArgs& args, int kv_head, int first_lane) {
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
  const int dim = padded_head_dim(heads.head_dim);
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    const int lane = first_lane + lane_index() / 4 + 8 * part;
    const int query = lane / group;
    const bool exists = query < heads.rows;
    position_[part] = args.first_position + query;
    const std::int64_t row =
        static_cast<std::int64_t>(query) * heads.query_heads + kv_head * group + lane % group;
    const T* q = static_cast<const T*>(args.q) + row * dim;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int d = 32 * step + 8 * (lane_index() % 4);
      q_[part][step] = exists && d < dim ? *reinterpret_cast<const uint4*>(q + d) : uint4{};
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::scores_of(const KeyTile<T, kDim>& tile,
                                                  float (&scores)[kKeyTiles][4]) const {
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
      const uint4 k = *reinterpret_cast<const uint4*>(&tile.keys[8 * keys + g][32 * step + 8 * t]);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const unsigned a[4] = {first_word(q_[0][step], half), first_word(q_[1][step], half),
                               second_word(q_[0][step], half), second_word(q_[1][step], half)};
        const unsigned b[2] = {first_word(k, half), second_word(k, half)};
        mma<T>(scores[keys], a, b);
      }
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::mask(const KeyTile<T, kDim>& tile, float scale,
                                             float (&scores)[kKeyTiles][4]) const {
  const int t = lane_index() % 4;
#pragma unroll
  for (int keys = 0; keys < kKeyTiles; ++keys) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int key = 8 * keys + 2 * t + i % 2;
      const std::int32_t query = position_[i / 2];
      const bool visible = tile.position[key] <= query && query <= tile.last_query[key];
      scores[keys][i] = visible ? scores[keys][i] * scale : kNothing;
    }
  }
}

// Scores become weights.
template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::weigh(float (&scores)[kKeyTiles][4]) {
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    float largest = max_[part];
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
      largest = fmaxf(largest, fmaxf(scores[keys][2 * part], scores[keys][2 * part + 1]));
    }
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 2));
    const float reference =
        largest == kNothing ? 0.0f : largest;  // a row that sees nothing of the tiles so far
    const float rescale = exp2f(max_[part] - reference);
    max_[part] = largest;
    sum_[part] *= rescale;
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
#pragma unroll
      for (int i = 2 * part; i < 2 * part + 2; ++i) {
        scores[keys][i] = exp2f(scores[keys][i] - reference);
        sum_[part] += scores[keys][i];
      }
    }
#pragma unroll
    for (int tile = 0; tile < kValueTiles; ++tile) {
      out_[tile][2 * part] *= rescale;
      out_[tile][2 * part + 1] *= rescale;
    }
  }
}

// The sums' layout of two neighbouring tiles of 8 keys is the operands' layout of 16.
template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::add_values(const KeyTile<T, kDim>& tile,
                                                   const float (&weights)[kKeyTiles][4]) {
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;
#pragma unroll
  for (int keys = 0; keys < kKeyTiles; keys += 2) {
    const unsigned a[4] = {pack<T>(weights[keys][0], weights[keys][1]),
                           pack<T>(weights[keys][2], weights[keys][3]),
                           pack<T>(weights[keys + 1][0], weights[keys + 1][1]),
                           pack<T>(weights[keys + 1][2], weights[keys + 1][3])};
#pragma unroll
    for (int channels = 0; channels < kValueTiles; ++channels) {
      const T* row = tile.values[8 * channels + g];
      const unsigned b[2] = {*reinterpret_cast<const unsigned*>(row + 8 * keys + 2 * t),
                             *reinterpret_cast<const unsigned*>(row + 8 * keys + 8 + 2 * t)};
      mma<T>(out_[channels], a, b);
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::add(const KeyTile<T, kDim>& tile, float scale) {
  float scores[kKeyTiles][4] = {};
  scores_of(tile, scores);
  mask(tile, scale, scores);
  weigh(scores);
  add_values(tile, scores);
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::store(const PrefillArgs& args, int kv_head, int first_lane) {
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    float sum = sum_[part] + __shfl_xor_sync(kAllLanes, sum_[part], 1);
    sum += __shfl_xor_sync(kAllLanes, sum, 2);
    const int lane = first_lane + lane_index() / 4 + 8 * part;
    const std::int64_t row = lane / group * args.out_stride;
    const int first = (kv_head * group + lane % group) * heads.head_dim;
#pragma unroll
    for (int i = 0; i < 2 * kValueTiles; ++i) {
      const int d = 8 * (i / 2) + 2 * (lane_index() % 4) + i % 2;
      if (lane / group >= heads.rows || d >= heads.head_dim) continue;
      const float value = out_[i / 2][2 * part + i % 2] / sum;
      if (args.out_dtype == DType::f32) {
        static_cast<float*>(args.out)[row + first + d] = value;
      } else {
        static_cast<T*>(args.out)[row + first + d] = from_float<T>(value);
      }
    }
  }
}

template <typename T, int kDim, typename Keys>
__device__ void attend(WarpAttention<T, kDim>& attention, KeyTile<T, kDim>& tile, const Keys& keys, int dim) {
  const float scale = kLog2E / sqrtf(static_cast<float>(dim));
  for (std::int32_t first = 0; first < keys.count; first += kKeys) {
    __syncthreads();  // everybody is done with the tile before
    load_tile(tile, keys, first, dim);
    __syncthreads();
    attention.add(tile, scale);
  }
}

template <typename T, int kDim>
__global__ void __launch_bounds__(kThreads) prefill_attention_kernel(const PrefillArgs args) {
  KeyTile<T, kDim>& tile = *dynamic_shared<KeyTile<T, kDim>>();
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
  const int kv_head = static_cast<int>(blockIdx.y);
  // Later queries see more keys: they go first, so that no multiprocessor is left with the longest block at
  // the end.
  const int block = static_cast<int>(gridDim.x - 1 - blockIdx.x);
  const int first_lane = block * kLanes + warp_index() * 16;
  const int last_query = ((block + 1) * kLanes - 1) / group;
  const std::int64_t head = head_index(args.cache, args.sequence_slot, args.layer, kv_head);

  WarpAttention<T, kDim> attention(args, kv_head, first_lane);
  attend(attention, tile, CachedKeys<T>{args.cache, head, args.cache.live[head]}, heads.head_dim);
  // Keys after the block's last query are the future.
  const std::int32_t own = last_query + 1 < heads.rows ? last_query + 1 : heads.rows;
  attend(attention, tile, OwnKeys<T>{args, kv_head, own}, heads.head_dim);
  attention.store(args, kv_head, first_lane);
}

template <typename T, int kDim>
void launch_dim(const PrefillArgs& args, StreamHandle stream) {
  const int group = args.heads.query_heads / args.heads.kv_heads;
  const LaunchShape shape{
      {blocks_for(std::int64_t{args.heads.rows} * group, kLanes), static_cast<unsigned>(args.heads.kv_heads)},
      kThreads,
      sizeof(KeyTile<T, kDim>)};
  launch(prefill_attention_kernel<T, kDim>, shape, stream, args);
}

template <typename T>
void launch_type(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.head_dim <= 64) return launch_dim<T, 64>(args, stream);
  if (args.heads.head_dim <= 96) return launch_dim<T, 96>(args, stream);
  if (args.heads.head_dim <= 128) return launch_dim<T, 128>(args, stream);
  launch_dim<T, kMaxHeadDim>(args, stream);
}

}  // namespace

void launch_prefill_attention(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.rows == 0) return;
  check_heads(args.heads);
  with_element(args.cache.dtype, [&](auto element) { launch_type<decltype(element)>(args, stream); });
}

}  // namespace kernels::cuda
