namespace MLNet.PQCompression.Graph;

/// <summary>A dense row-major float32 tensor. The data must not be changed once a graph holds it.</summary>
public sealed class DenseTensor : Initializer
{
    private readonly float[]? _array;
    private readonly ReadOnlyMemory<float> _data; // Where there is no array.

    /// <summary>Wraps <paramref name="data"/> without copying it.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="data">Exactly <c>shape.Count</c> values, row-major.</param>
    /// <param name="storage">The element type in files.</param>
    /// <exception cref="ArgumentException">The length does not match the shape.</exception>
    public DenseTensor(TensorShape shape, ReadOnlyMemory<float> data, StorageType storage = StorageType.Float32)
        : base(shape)
    {
        Check(data.Length);
        _data = data;
        Storage = storage;
    }

    internal DenseTensor(TensorShape shape, float[] data, StorageType storage = StorageType.Float32)
        : base(shape)
    {
        Check(data.Length);
        _array = data;
        Storage = storage;
    }

    /// <summary>The element type in files.</summary>
    public StorageType Storage { get; }

    /// <summary>The values, row-major.</summary>
    public ReadOnlySpan<float> Span => _array is null ? _data.Span : _array;

    internal override ReadOnlySpan<float> Values => Span;

    /// <inheritdoc/>
    public override ReadOnlyMemory<float> ToDense() => _array ?? _data;

    private void Check(int length)
    {
        if (length != Shape.Count)
            throw new ArgumentException($"A tensor of shape {Shape} holds {Shape.Count} values, not {length}.", "data");
    }
}
