namespace MLNet.PQCompression.Graph;

/// <summary>A dense row-major float32 tensor. The data must not be changed once a graph holds it.</summary>
public sealed class DenseTensor : Initializer
{
    private readonly ReadOnlyMemory<float> _data;

    /// <summary>Wraps <paramref name="data"/> without copying it.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="data">Exactly <c>shape.Count</c> values, row-major.</param>
    /// <param name="storage">The element type in files.</param>
    /// <exception cref="ArgumentException">The length does not match the shape.</exception>
    public DenseTensor(TensorShape shape, ReadOnlyMemory<float> data, StorageType storage = StorageType.Float32)
        : base(shape)
    {
        if (data.Length != shape.Count)
            throw new ArgumentException($"A tensor of shape {shape} holds {shape.Count} values, not {data.Length}.", nameof(data));
        _data = data;
        Storage = storage;
    }

    /// <summary>The element type in files.</summary>
    public StorageType Storage { get; }

    /// <summary>The values, row-major.</summary>
    public ReadOnlySpan<float> Span => _data.Span;

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> ToDense() => _data;
}
