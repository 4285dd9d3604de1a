using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation;

/// <summary>A running average of a model's parameters and statistics: a ← decay·a + (1 − decay)·p, with a shorter memory at the start.</summary>
internal sealed class WeightAverage
{
    private readonly double _decay;
    private readonly SortedDictionary<string, float[]> _average;
    private long _steps;

    /// <summary>Starts at the model's values.</summary>
    public WeightAverage(ITrainingModel model, double decay)
    {
        _decay = decay;
        _average = new(model.Parameters.ToDictionary(n => n, n => model.Values(n).ToArray()), StringComparer.Ordinal);
    }

    /// <summary>The average so far, by parameter.</summary>
    public IReadOnlyDictionary<string, float[]> Values => _average;

    /// <summary>Takes up a saved average.</summary>
    public void Restore(IReadOnlyDictionary<string, float[]> values, long steps)
    {
        foreach ((string name, float[] average) in _average)
            values[name].CopyTo(average, 0);
        _steps = steps;
    }

    /// <summary>Moves the average towards the model.</summary>
    public void Update(ITrainingModel model)
    {
        _steps++;
        double decay = Math.Min(_decay, _steps / (_steps + 9.0));
        foreach ((string name, float[] average) in _average)
        {
            TensorPrimitives.Multiply(average, (float)decay, average);
            TensorPrimitives.MultiplyAdd(model.Values(name), (float)(1 - decay), average, average);
        }
    }

    /// <summary>Gives the model the average's values.</summary>
    public void CopyTo(ITrainingModel model)
    {
        foreach ((string name, float[] average) in _average)
            model.SetValues(name, average);
    }
}
