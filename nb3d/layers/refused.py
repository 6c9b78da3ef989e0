"""Layers of Keras that nb3d does not have, each with the reason: refused by name, in Python as in files."""

from __future__ import annotations

_RECURRENT = "recurrent layers are out of scope: in the networks of nb3d no step waits for the result of the last one"
_TABLES = "preprocessing of text and tables is out of scope: do it before the network"
_IMAGES = "preprocessing and augmentation of 2D images are out of scope: do it before the network"
_SOUND = "preprocessing of sound is out of scope: do it before the network"
_FOREIGN = "it holds code of another framework, which nb3d does not run"
_LANGUAGE = "layers of language models are out of scope; Embedding and Dense compute the same in two steps"
_LOCAL = "Keras 3 has it no more, and nb3d has no kernel of which every voxel has its own"

_NAMES = {
    _RECURRENT: "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D CuDNNGRU CuDNNLSTM GRU GRUCell LSTM LSTMCell RNN "
    "SimpleRNN SimpleRNNCell StackedRNNCells",
    _TABLES: "CategoryEncoding Discretization HashedCrossing Hashing IntegerLookup StringLookup TextVectorization",
    _IMAGES: "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization "
    "MaxNumBoundingBoxes MixUp Pipeline RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter "
    "RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale "
    "RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation "
    "RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom Resizing Solarization",
    _SOUND: "MelSpectrogram STFTSpectrogram",
    _FOREIGN: "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper",
    _LANGUAGE: "ReversibleEmbedding",
    _LOCAL: "LocallyConnected1D LocallyConnected2D",
}

REFUSED: dict[str, str] = {name: reason for reason, names in _NAMES.items() for name in names.split()}
