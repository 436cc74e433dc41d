"""TFLite_Detection_PostProcess: box decoding and non-maximum suppression."""

from __future__ import annotations

import numpy as np
from builders import GraphBuilder
from flatbuffers import flexbuffers

from .harness import Case, Draw, Outputs, differential


def rows_in_use(outputs: Outputs) -> Outputs:
    """Boxes, classes, scores up to the count: LiteRT leaves garbage behind it."""
    count = int(outputs[3][0])
    return [*(array[:, :count] for array in outputs[:3]), outputs[3]]


@differential("TFLite_Detection_PostProcess", "float32", absolute=1e-5, relative=1e-5)
def detection_post_process(d: Draw, kind: str) -> Case:
    g = GraphBuilder()
    boxes = d.pick("boxes", (1, 3, 10, 40, 100))
    classes = d.pick("classes", (1, 2, 5, 20))
    background = d.integer("background", 0, 1)
    options = {
        "max_detections": d.pick("max_detections", (1, 5, 10, 25)),
        "max_classes_per_detection": d.integer("max_classes_per_detection", 1, min(3, classes)),
        "detections_per_class": d.pick("detections_per_class", (1, 5, 100)),
        "use_regular_nms": d.chance("use_regular_nms", 0.4),
        "nms_score_threshold": d.pick("nms_score_threshold", (1e-8, 0.3, 0.6, 0.99)),
        "nms_iou_threshold": d.pick("nms_iou_threshold", (0.1, 0.5, 0.6, 1.0)),
        "num_classes": classes,
        "y_scale": 10.0,
        "x_scale": 10.0,
        "h_scale": 5.0,
        "w_scale": 5.0,
    }
    encodings = d.rng.normal(0, 2, (1, boxes, 4)).astype(np.float32)
    scores = d.rng.random((1, boxes, classes + background)).astype(np.float32)
    # As dequantized scores have; between several classes of one box LiteRT leaves their order open.
    if options["max_classes_per_detection"] == 1 and d.chance("ties", 0.6):
        scores = (np.round(scores * 256) / 256).astype(np.float32)
    anchors = np.concatenate([d.rng.random((boxes, 2)), d.rng.uniform(0.05, 0.4, (boxes, 2))], 1)
    x = g.input(encodings.shape, "float32")
    s = g.input(scores.shape, "float32")
    outputs = [g.tensor((), "float32") for _ in range(4)]
    content = bytes(flexbuffers.Dumps(options))
    inputs = [x, s, g.constant(anchors.astype(np.float32))]
    g.op("TFLite_Detection_PostProcess", inputs, outputs, custom_options=content)
    return Case(g, outputs, [encodings, scores], rows_in_use)
