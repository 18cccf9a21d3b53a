# The public names, one a line. lazy_loader reads this file at run time and imports a module when
# one of its names is first used. Type checkers and editors read it too. `X as X` means public.

from . import classifiers as classifiers
from . import datasets as datasets
from . import estimator_checks as estimator_checks
from . import exceptions as exceptions
from . import export as export
from . import inspection as inspection
from . import persistence as persistence
from . import preprocessing as preprocessing
from .classifiers import AutoImageClassifier as AutoImageClassifier
from .classifiers import BaseImageClassifier as BaseImageClassifier
from .classifiers import CNNImageClassifier as CNNImageClassifier
from .classifiers import MLPImageClassifier as MLPImageClassifier
from .classifiers import ModuleImageClassifier as ModuleImageClassifier
from .classifiers import PretrainedImageClassifier as PretrainedImageClassifier
from .classifiers import RejectOptionClassifier as RejectOptionClassifier
from .classifiers import ResNetImageClassifier as ResNetImageClassifier
from .datasets import fetch_cifar10 as fetch_cifar10
from .datasets import fetch_fashion_mnist as fetch_fashion_mnist
from .datasets import fetch_mnist as fetch_mnist
from .datasets import load_image_folder as load_image_folder
from .datasets import make_shapes as make_shapes
from .exceptions import ImageFileError as ImageFileError
from .exceptions import ModelFileError as ModelFileError
from .export import to_onnx as to_onnx
from .inspection import AugmentationDisplay as AugmentationDisplay
from .inspection import ClassDistributionDisplay as ClassDistributionDisplay
from .inspection import EmbeddingDisplay as EmbeddingDisplay
from .inspection import EvaluationReport as EvaluationReport
from .inspection import ImageGridDisplay as ImageGridDisplay
from .inspection import PredictionDisplay as PredictionDisplay
from .inspection import SaliencyDisplay as SaliencyDisplay
from .inspection import TrainingCurveDisplay as TrainingCurveDisplay
from .inspection import audit_images as audit_images
from .inspection import class_distribution as class_distribution
from .inspection import evaluation_report as evaluation_report
from .inspection import grad_cam as grad_cam
from .inspection import occlusion as occlusion
from .persistence import get_trusted_types as get_trusted_types
from .persistence import load as load
from .persistence import save as save
from .preprocessing import ImageAugmenter as ImageAugmenter
from .preprocessing import ImageEmbedder as ImageEmbedder
from .preprocessing import ImageFlattener as ImageFlattener
from .preprocessing import ImageLoader as ImageLoader
from .preprocessing import ImageNormalizer as ImageNormalizer
from .preprocessing import ImageOverSampler as ImageOverSampler
from .preprocessing import ImageResizer as ImageResizer
from .utils._show_versions import show_versions as show_versions

__version__: str
