// Poses out of the outputs of PoseNet: heat maps of key points and fields of offsets between them.
// Method: Papandreou et al., PersonLab, 2018 (arXiv 1803.08225), sections 3.1 and 3.2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/support/numbers.h"

namespace edge {

constexpr int kKeypoints = 17;
constexpr int kEdges = 16;

struct Point {
  float y, x;
};

struct Pose {
  Point points[kKeypoints];
  float scores[kKeypoints];
  float score;  // of the whole
};

// A picture of numbers: [rows, columns, channels].
struct Field {
  Numbers numbers;
  const uint8_t* data = nullptr;
  int32_t rows = 0, columns = 0, channels = 0;

  float at(int32_t y, int32_t x, int channel) const {
    return numbers.at(data, (int64_t{y} * columns + x) * channels + channel);
  }
  // Between four cells; p lies inside.
  float sample(Point p, int channel) const;
  // p, moved by the offsets in the channels `dy` and `dx` and kept inside.
  Point follow(Point p, int dy, int dx) const;
  Point inside(float y, float x) const;
};

struct PoseOptions {
  int32_t max_poses = 0;
  float least_score = 0;
  float radius = 0;  // in cells: key points of one kind that are nearer are one
};

// A place where a pose may start, or the next key point of one.
struct Candidate {
  Point point;
  float score;
  int32_t keypoint;
};

struct PoseWork {
  Candidate* roots;  // as many as there are scores
  Pose* poses;       // max_poses of them
  float* scores;     // [max_poses]
  int32_t* order;    // [max_poses]
};

// Scores are log-odds. Finds at most max_poses, the best first: `order` names them among
// `poses`, whose `score` is that after suppression. Returns how many.
int32_t decode_poses(const PoseOptions& options, const Field& scores, const Field& shorts,
                     const Field& mids, const PoseWork& work);

}  // namespace edge
