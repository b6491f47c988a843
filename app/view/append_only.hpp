// An array that only grows, whose elements never move: one writer appends while readers read what was
// published to them.
//
// The writer fills elements and then tells readers the new count under a lock or a release store (RunModel
// does); a reader touches only indices below a count it was told. Elements are never written again, so there
// is no race and nothing is copied. Buckets double in size: 28 pointers reach any length we meet.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <memory>
#include <utility>

namespace app::view {

template <typename T, std::size_t kFirstBucket = 256>
class AppendOnly {
  static_assert(std::has_single_bit(kFirstBucket));

 public:
  const T& operator[](std::size_t index) const { return buckets_[bucket_of(index)][offset_of(index)]; }

  // Writer's thread only, all of them.
  std::size_t size() const { return size_; }
  T& append(T value) {
    const std::size_t bucket = bucket_of(size_);
    assert(bucket < buckets_.size());
    if (!buckets_[bucket]) buckets_[bucket] = std::make_unique<T[]>(bucket_size(bucket));
    T& element = buckets_[bucket][offset_of(size_)];
    element = std::move(value);
    ++size_;
    return element;
  }
  std::size_t bytes() const {
    std::size_t elements = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      if (buckets_[bucket]) elements += bucket_size(bucket);
    }
    return elements * sizeof(T);
  }

 private:
  static std::size_t bucket_of(std::size_t index) {
    return static_cast<std::size_t>(std::bit_width(index / kFirstBucket));
  }
  static std::size_t bucket_size(std::size_t bucket) {
    return bucket == 0 ? kFirstBucket : kFirstBucket << (bucket - 1);
  }
  // Bucket b > 0 begins at the index that equals its size.
  static std::size_t offset_of(std::size_t index) {
    const std::size_t bucket = bucket_of(index);
    return bucket == 0 ? index : index - bucket_size(bucket);
  }

  std::array<std::unique_ptr<T[]>, 28> buckets_;
  std::size_t size_ = 0;
};

}  // namespace app::view
