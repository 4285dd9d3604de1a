using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>A value of a running graph: dense row-major float32, for images N×C×H×W.</summary>
public class Activation
{
    private readonly Memory<float> _data;

    /// <summary>A new activation whose values are not set yet.</summary>
    /// <param name="shape">The shape, all dimensions known.</param>
    public Activation(TensorShape shape) : this(shape, GC.AllocateUninitializedArray<float>(checked((int)shape.Count))) { }

    /// <summary>Wraps values without copying them.</summary>
    /// <param name="shape">The shape, all dimensions known.</param>
    /// <param name="data">Exactly <c>shape.Count</c> values, row-major.</param>
    /// <exception cref="ArgumentException">The length does not match the shape.</exception>
    public Activation(TensorShape shape, Memory<float> data)
    {
        if (data.Length != shape.Count)
            throw new ArgumentException($"An activation of shape {shape} holds {shape.Count} values, not {data.Length}.", nameof(data));
        Shape = shape;
        _data = data;
    }

    /// <summary>A value whose elements are no float32 and lie elsewhere.</summary>
    private protected Activation(TensorShape shape, Elsewhere _) => Shape = shape;

    /// <summary>The shape.</summary>
    public TensorShape Shape { get; }

    /// <summary>The values, row-major.</summary>
    public Span<float> Span => _data.Span;

    /// <summary>The values, row-major, for use by several threads.</summary>
    public Memory<float> Memory => _data;

    /// <summary>The same values under another shape of the same count.</summary>
    public Activation WithShape(TensorShape shape) => new(shape, _data);

    private protected enum Elsewhere { Elements }
}
