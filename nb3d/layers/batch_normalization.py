"""`BatchNormalization`: zero mean and unit variance per channel."""

from __future__ import annotations

from typing import Any

from nb3d import ops
from nb3d.engine.input_spec import InputSpec
from nb3d.engine.settings import SETTINGS
from nb3d.engine.tensor import Dims, KerasTensor
from nb3d.layers.arguments import check_axis, check_initializer, check_number, known_sizes
from nb3d.layers.masks import spread
from nb3d.layers.registry import LAYERS
from nb3d.layers.scaled_normalization import ScaledNormalization
from nb3d.ops.shapes import normalize_axis


@LAYERS.register()
class BatchNormalization(ScaledNormalization):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, with one value of each per channel.

    Mean and variance are moving averages, unless the layer is called with ``training=True`` (and is trainable): then
    they are those of the batch, and on arrays the averages move. Every symbolic call files two updates that move them,
    which `nb3d.function` runs: ``nb3d.function([x], [y], updates=layer.get_updates_for(x))``; with an explicit
    ``training=False`` it files none.

    Args:
        axis: The axis of the channels; 1 for channels first.
        momentum: Share that a moving average keeps at an update.
        epsilon: Added to the variance.
        center: Whether there is a `beta`.
        scale: Whether there is a `gamma`.
        beta_initializer: Initial values of `beta`.
        gamma_initializer: Initial values of `gamma`.
        moving_mean_initializer: Initial values of the mean.
        moving_variance_initializer: Initial values of the variance.
        beta_regularizer: Loss on `beta`.
        gamma_regularizer: Loss on `gamma`.
        beta_constraint: Constraint kept on `beta`.
        gamma_constraint: Constraint kept on `gamma`.
        renorm: Batch renormalization; not supported.
        renorm_clipping: Of no effect without `renorm`.
        renorm_momentum: Of no effect without `renorm`.
        synchronized: Of no effect: there is one device.
        **kwargs: Arguments of `Layer`.

    Input shape: any; the size of `axis` must be known.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> import nb3d
        >>> layer = nb3d.layers.BatchNormalization()
        >>> layer(nb3d.Input((8, 8, 8, 3))).shape
        (None, 8, 8, 8, 3)
        >>> [variable.name.split("/")[-1] for variable in layer.weights]
        ['gamma', 'beta', 'moving_mean', 'moving_variance']

    Source: https://keras.io/api/layers/normalization_layers/batch_normalization/; Ioffe and Szegedy, 2015
    """

    config_fields = (
        *ScaledNormalization.config_fields,
        "axis",
        "momentum",
        "moving_mean_initializer",
        "moving_variance_initializer",
    )

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if renorm:
            raise ValueError(f"Layer {self.name!r}: batch renormalization is not supported, got renorm={renorm!r}.")
        self.axis = check_axis(axis)
        self.momentum = check_number(momentum, "momentum")
        self.moving_mean_initializer = check_initializer(moving_mean_initializer, "moving_mean_initializer")
        self.moving_variance_initializer = check_initializer(moving_variance_initializer, "moving_variance_initializer")
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def build(self, input_shape: Dims) -> None:
        (channels,) = known_sizes(input_shape, self.axis).values()
        self.add_gamma_and_beta((channels,))
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=(channels,),
            initializer=self.moving_mean_initializer,
            trainable=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=(channels,),
            initializer=self.moving_variance_initializer,
            trainable=False,
        )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        mean, variance = self.moving_mean, self.moving_variance
        symbolic = isinstance(inputs, KerasTensor)
        of_batch = bool(training) and self.trainable
        if of_batch or (symbolic and training is not False):
            moments = self._moments(inputs, mask)
            updates = [self._moved(mean, moments[0]), self._moved(variance, moments[1])]
            if symbolic:
                self.add_update(updates, inputs=inputs)
            if of_batch:
                mean, variance = moments
        return ops.batch_normalization(inputs, mean, variance, self.axis, self.beta, self.gamma, self.epsilon)

    def _moved(self, average: Any, batch: Any) -> Any:
        """Moves an average towards a statistic of the batch: at once on arrays, as an update on symbols."""
        return ops.assign(average, average * self.momentum + batch * (1 - self.momentum))

    def _moments(self, inputs: Any, mask: Any) -> tuple[Any, Any]:
        """Mean and variance of the batch, of the values that the mask lets pass."""
        rank = len(inputs.shape)
        channels = normalize_axis(self.axis, rank)
        axes = tuple(axis for axis in range(rank) if axis != channels)
        if mask is None:
            return ops.moments(inputs, axes)
        kept = spread(mask, inputs)
        count = ops.sum(ops.cast(kept, inputs.dtype), axes, keepdims=True) + SETTINGS.epsilon()
        mean = ops.sum(ops.where(kept, inputs, 0.0), axes, keepdims=True) / count
        distance = ops.where(kept, inputs - mean, 0.0)
        variance = ops.sum(ops.square(distance), axes, keepdims=True) / count
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)
