using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation;

/// <summary>Moves named parameters against their gradients by the rule of an <see cref="OptimizerOptions"/>.</summary>
public sealed class Optimizer
{
    /// <summary>The least size that a relative rate takes a parameter to have, so that one of zeros can move.</summary>
    private const double LeastSize = 1e-3;

    private readonly OptimizerOptions _options;
    private readonly SortedDictionary<string, float[]> _slots = new(StringComparer.Ordinal);
    private long _steps;

    /// <summary>Starts with no memory.</summary>
    /// <param name="options">The rule.</param>
    /// <param name="parameters">The length of each parameter by name.</param>
    public Optimizer(OptimizerOptions options, IEnumerable<KeyValuePair<string, int>> parameters)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parameters);
        _options = options;
        foreach ((string name, int length) in parameters)
            _slots[name] = new float[options is AdamOptions ? 2 * length : length];
    }

    /// <summary>Counts a step; to be called once before the parameters of a step are moved.</summary>
    public void BeginStep() => _steps++;

    /// <summary>Moves one parameter.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="values">Its values.</param>
    /// <param name="gradient">Its gradient; used as scratch.</param>
    /// <param name="learningRate">η.</param>
    public void Move(string name, Span<float> values, Span<float> gradient, double learningRate)
    {
        float[] slot = _slots[name];
        if (_options is AdamOptions adam)
            MoveAdam(adam, values, gradient, slot.AsSpan(0, values.Length), slot.AsSpan(values.Length), learningRate);
        else
        {
            var sgd = (SgdOptions)_options;
            TensorPrimitives.MultiplyAdd(values, (float)sgd.WeightDecay, gradient, gradient);
            TensorPrimitives.MultiplyAdd(slot, (float)sgd.Momentum, gradient, slot);
            TensorPrimitives.MultiplyAdd(slot, (float)-learningRate, values, values);
        }
    }

    /// <summary>A copy of the memory.</summary>
    public OptimizerState GetState() =>
        new(_steps, _slots.ToImmutableSortedDictionary(s => s.Key, s => s.Value.ToImmutableArray(), StringComparer.Ordinal));

    /// <summary>Puts the memory back.</summary>
    /// <exception cref="ArgumentException">It belongs to other parameters or another rule.</exception>
    public void SetState(OptimizerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Slots.Count != _slots.Count)
            throw new ArgumentException($"The optimizer's state is of {state.Slots.Count} parameters, not {_slots.Count}.", nameof(state));
        foreach ((string name, float[] slot) in _slots)
        {
            if (!state.Slots.TryGetValue(name, out ImmutableArray<float> saved) || saved.Length != slot.Length)
                throw new ArgumentException($"The optimizer's state does not fit the parameter '{name}'.", nameof(state));
            saved.CopyTo(slot);
        }
        _steps = state.Steps;
    }

    private void MoveAdam(AdamOptions adam, Span<float> values, ReadOnlySpan<float> gradient, Span<float> mean, Span<float> square, double learningRate)
    {
        if (adam.Relative)
            learningRate *= Math.Max(LeastSize, Math.Sqrt(TensorPrimitives.SumOfSquares<float>(values) / values.Length));
        double correction1 = 1 - Math.Pow(adam.Beta1, _steps), correction2 = 1 - Math.Pow(adam.Beta2, _steps);
        for (int i = 0; i < values.Length; i++)
        {
            mean[i] = (float)(adam.Beta1 * mean[i] + (1 - adam.Beta1) * gradient[i]);
            square[i] = (float)(adam.Beta2 * square[i] + (1 - adam.Beta2) * gradient[i] * gradient[i]);
            double step = mean[i] / correction1 / (Math.Sqrt(square[i] / correction2) + adam.Epsilon);
            values[i] = (float)(values[i] - learningRate * (step + adam.WeightDecay * values[i]));
        }
    }
}
