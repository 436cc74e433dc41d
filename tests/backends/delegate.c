// A TFLite delegate for the tests. It takes the ADD nodes of `x + x` and computes 2x + 1000, so
// that one sees it ran.
//
// Options: refuse=<words> creates nothing and reports the words; silent=1 creates nothing and says
// nothing; fail=1 refuses every model. The structs are the beginnings of those in
// https://github.com/google-ai-edge/LiteRT/blob/main/tflite/core/c/common.h, which are a stable
// ABI.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int size;
  int data[];
} Ints;

typedef struct {
  int type;
  void* data;
  Ints* dims;
  struct {
    float scale;
    int32_t zero_point;
  } params;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  void* delegate;
  int buffer_handle;
  bool data_is_stale, is_variable;
  struct {
    int type;
    void* params;
  } quantization;
  void* sparsity;
  const Ints* dims_signature;
} Tensor;

typedef struct {
  Ints *inputs, *outputs;
} Node;

struct Context;

typedef struct {
  void* (*init)(struct Context*, const char*, size_t);
  void (*free)(struct Context*, void*);
  int (*prepare)(struct Context*, Node*);
  int (*invoke)(struct Context*, Node*);
  const char* (*profiling_string)(const struct Context*, const Node*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* external;
  void* async_kernel;
  uint64_t inplace;
} Registration;

typedef struct Delegate {
  void* data;
  int (*prepare)(struct Context*, struct Delegate*);
  void *copy_from, *copy_to, *free_handle;
  int64_t flags;
  void* builder;
} Delegate;

typedef struct Context {
  size_t tensors_size;
  int (*get_execution_plan)(struct Context*, Ints**);
  Tensor* tensors;
  void* impl;
  void* resize_tensor;
  void (*report_error)(struct Context*, const char*, ...);
  void* add_tensors;
  int (*get_node)(struct Context*, int, Node**, Registration**);
  int (*replace)(struct Context*, Registration, const Ints*, Delegate*);
} Context;

enum { kOk = 0, kError = 1, kAdd = 0 };

static int kernel_prepare(Context* context, Node* node) { return kOk; }

static int kernel_invoke(Context* context, Node* node) {
  const Tensor* in = &context->tensors[node->inputs->data[0]];
  const Tensor* out = &context->tensors[node->outputs->data[0]];
  for (size_t i = 0; i < out->bytes / sizeof(float); ++i) {
    ((float*)out->data)[i] = 2 * ((const float*)in->data)[i] + 1000;
  }
  return kOk;
}

static int prepare(Context* context, Delegate* delegate) {
  if (delegate->data) {
    context->report_error(context, "the test delegate takes no model today");
    return kError;
  }
  Ints* plan;
  if (context->get_execution_plan(context, &plan) != kOk) return kError;
  Ints* taken = malloc(sizeof(Ints) + sizeof(int) * (size_t)plan->size);
  int* nodes = malloc(sizeof(int) * (size_t)plan->size);
  const int count = plan->size;
  memcpy(nodes, plan->data, sizeof(int) * (size_t)count);
  taken->size = 0;
  for (int i = 0; i < count; ++i) {
    Node* node;
    Registration* op;
    context->get_node(context, nodes[i], &node, &op);
    if (op->builtin_code == kAdd) taken->data[taken->size++] = nodes[i];
  }
  const Registration kernel = {.prepare = kernel_prepare,
                               .invoke = kernel_invoke,
                               .custom_name = "TestDelegate",
                               .version = 1};
  const int status = context->replace(context, kernel, taken, delegate);
  free(nodes);
  free(taken);
  return status;
}

Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count,
                                        void (*report)(const char*)) {
  Delegate* delegate = calloc(1, sizeof(Delegate));
  delegate->prepare = prepare;
  for (size_t i = 0; i < count; ++i) {
    if (!strcmp(keys[i], "fail")) delegate->data = delegate;
    if (strcmp(keys[i], "refuse") && strcmp(keys[i], "silent")) continue;
    if (!strcmp(keys[i], "refuse")) report(values[i]);
    free(delegate);
    return NULL;
  }
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate* delegate) { free(delegate); }
