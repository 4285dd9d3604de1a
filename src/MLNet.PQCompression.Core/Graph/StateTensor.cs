namespace MLNet.PQCompression.Graph;

/// <summary>A tensor of a <see cref="StateDict"/>.</summary>
public abstract record StateTensor
{
    private protected StateTensor() { }

    /// <summary>The shape.</summary>
    public abstract TensorShape Shape { get; }
}

/// <summary>A tensor of real numbers, dense or product-quantized.</summary>
/// <param name="Value">The weight.</param>
public sealed record WeightTensor(Initializer Value) : StateTensor
{
    /// <inheritdoc/>
    public override TensorShape Shape => Value.Shape;
}

/// <summary>A tensor of integers, such as a counter of training steps.</summary>
public sealed record IntegerTensor : StateTensor
{
    /// <summary>Wraps the values without copying them.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="type">The element type in files, not a real one.</param>
    /// <param name="values">The values, row-major.</param>
    /// <exception cref="ArgumentException">The length does not match the shape, or the type is real.</exception>
    public IntegerTensor(TensorShape shape, TensorElementType type, ReadOnlyMemory<long> values)
    {
        if (type.IsReal())
            throw new ArgumentException($"{type} is not an integer type.", nameof(type));
        if (values.Length != shape.Count)
            throw new ArgumentException($"A tensor of shape {shape} holds {shape.Count} values, not {values.Length}.", nameof(values));
        (Shape, Type, Values) = (shape, type, values);
    }

    /// <inheritdoc/>
    public override TensorShape Shape { get; }

    /// <summary>The element type in files.</summary>
    public TensorElementType Type { get; }

    /// <summary>The values, row-major.</summary>
    public ReadOnlyMemory<long> Values { get; }
}
