using System.Collections.Immutable;
using MLNet.PQCompression.Distillation;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>The rules of <see cref="Optimizer"/> on a device.</summary>
internal sealed class TorchOptimizer : IDisposable
{
    /// <summary>The least size that a relative rate takes a parameter to have, so that one of zeros can move.</summary>
    private const float LeastSize = 1e-3f;

    private readonly OptimizerOptions _options;
    private readonly SortedDictionary<string, Tensor> _slots = new(StringComparer.Ordinal); // Adam: mean and square, one after the other
    private long _steps;

    /// <summary>Starts with no memory.</summary>
    public TorchOptimizer(OptimizerOptions options, IEnumerable<TorchParameter> parameters)
    {
        _options = options;
        foreach (TorchParameter p in parameters)
            _slots[p.Name] = zeros(options is AdamOptions ? 2 : 1, p.Length, ScalarType.Float32, p.Values.device).DetachFromDisposeScope();
    }

    /// <summary>Counts a step; to be called once before the parameters of a step are moved.</summary>
    public void BeginStep() => _steps++;

    /// <summary>Moves one parameter against its gradient.</summary>
    public void Move(TorchParameter parameter, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Tensor slot = _slots[parameter.Name], values = parameter.Values.detach().view(-1), gradient = parameter.Gradient().reshape(-1);
        using Scalar rate = (-learningRate).ToScalar();
        if (_options is AdamOptions adam)
            MoveAdam(adam, values, gradient, slot.select(0, 0), slot.select(0, 1), rate);
        else
        {
            var sgd = (SgdOptions)_options;
            using Scalar decay = sgd.WeightDecay.ToScalar(), momentum = sgd.Momentum.ToScalar();
            Tensor moved = slot.select(0, 0);
            moved.mul_(momentum).add_(values.mul(decay).add_(gradient, Scalars.Alpha), Scalars.Alpha);
            values.add_(moved, rate);
        }
        parameter.Decode();
    }

    /// <summary>A copy of the memory.</summary>
    public OptimizerState GetState() =>
        new(_steps, _slots.ToImmutableSortedDictionary(s => s.Key, s => s.Value.Download().ToImmutableArray(), StringComparer.Ordinal));

    /// <summary>Puts the memory back.</summary>
    /// <exception cref="ArgumentException">It belongs to other parameters or another rule.</exception>
    public void SetState(OptimizerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Slots.Count != _slots.Count)
            throw new ArgumentException($"The optimizer's state is of {state.Slots.Count} parameters, not {_slots.Count}.", nameof(state));
        using DisposeScope scope = NewDisposeScope();
        foreach ((string name, Tensor slot) in _slots)
        {
            if (!state.Slots.TryGetValue(name, out ImmutableArray<float> saved) || saved.Length != slot.numel())
                throw new ArgumentException($"The optimizer's state does not fit the parameter '{name}'.", nameof(state));
            slot.copy_(HostMemory.Upload(saved.AsSpan(), slot.shape, slot.device));
        }
        _steps = state.Steps;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor slot in _slots.Values)
            slot.Dispose();
    }

    private void MoveAdam(AdamOptions adam, Tensor values, Tensor gradient, Tensor mean, Tensor square, Scalar rate)
    {
        using Scalar beta1 = adam.Beta1.ToScalar(), beta2 = adam.Beta2.ToScalar(), rest1 = (1 - adam.Beta1).ToScalar(), rest2 = (1 - adam.Beta2).ToScalar();
        using Scalar correction1 = (1 / (1 - Math.Pow(adam.Beta1, _steps))).ToScalar(), correction2 = (1 / (1 - Math.Pow(adam.Beta2, _steps))).ToScalar();
        using Scalar epsilon = adam.Epsilon.ToScalar(), decay = adam.WeightDecay.ToScalar(), least = LeastSize.ToScalar();
        mean.mul_(beta1).add_(gradient, rest1);
        square.mul_(beta2).addcmul_(gradient, gradient, rest2);
        Tensor step = mean.mul(correction1).div_(square.mul(correction2).sqrt().add_(epsilon)).add_(values, decay);
        if (adam.Relative)
            step.mul_(values.square().mean().sqrt().clamp_min(least));
        values.add_(step, rate);
    }
}
