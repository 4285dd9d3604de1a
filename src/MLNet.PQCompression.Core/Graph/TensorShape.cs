using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>The dimensions of a dense row-major tensor, outermost first. A dimension of -1 is not known yet.</summary>
public readonly struct TensorShape : IEquatable<TensorShape>
{
    private readonly ImmutableArray<int> _dimensions;

    /// <summary>Creates a shape from its dimensions, outermost first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A dimension is below -1.</exception>
    public TensorShape(params ReadOnlySpan<int> dimensions)
    {
        foreach (int d in dimensions)
            ArgumentOutOfRangeException.ThrowIfLessThan(d, -1, nameof(dimensions));
        _dimensions = [.. dimensions];
    }

    // With this many sizes the compiler would make a generic type of the parameters above, which images compiled ahead of time do not hold.
    internal TensorShape(int rows, int columns) : this((int[])[rows, columns])
    {
    }

    internal TensorShape(int images, int channels, int height, int width) : this((int[])[images, channels, height, width])
    {
    }

    /// <summary>The dimensions, outermost first.</summary>
    public ImmutableArray<int> Dimensions => _dimensions.IsDefault ? [] : _dimensions;

    /// <summary>The number of dimensions.</summary>
    public int Rank => Dimensions.Length;

    /// <summary>The size of dimension <paramref name="axis"/>.</summary>
    public int this[int axis] => Dimensions[axis];

    /// <summary>True when no dimension is unknown.</summary>
    public bool IsKnown
    {
        get
        {
            foreach (int d in Dimensions)
                if (d < 0)
                    return false;
            return true;
        }
    }

    /// <summary>The number of elements.</summary>
    /// <exception cref="InvalidOperationException">A dimension is unknown.</exception>
    /// <exception cref="OverflowException">The product does not fit 64 bits.</exception>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (int d in Dimensions)
            {
                if (d < 0)
                    throw new InvalidOperationException($"The shape {this} has an unknown dimension, so it has no element count.");
                count = checked(count * d);
            }
            return count;
        }
    }

    /// <summary>The same shape with dimension <paramref name="axis"/> replaced.</summary>
    public TensorShape With(int axis, int size)
    {
        var dimensions = new int[(uint)axis < (uint)Rank ? Rank : throw new ArgumentOutOfRangeException(nameof(axis))];
        for (int i = 0; i < dimensions.Length; i++)
            dimensions[i] = i == axis ? size : this[i];
        return new(dimensions);
    }

    /// <summary>The shape without dimension 0.</summary>
    internal TensorShape WithoutFirst()
    {
        var dimensions = new int[Rank - 1];
        for (int i = 0; i < dimensions.Length; i++)
            dimensions[i] = this[i + 1];
        return new(dimensions);
    }

    /// <inheritdoc/>
    public bool Equals(TensorShape other)
    {
        bool equal = Rank == other.Rank;
        for (int i = 0; equal && i < Rank; i++)
            equal = this[i] == other[i];
        return equal;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TensorShape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (int d in Dimensions)
            hash.Add(d);
        return hash.ToHashCode();
    }

    /// <summary>Compares two shapes, dimension by dimension.</summary>
    public static bool operator ==(TensorShape left, TensorShape right) => left.Equals(right);

    /// <summary>Compares two shapes, dimension by dimension.</summary>
    public static bool operator !=(TensorShape left, TensorShape right) => !left.Equals(right);

    /// <summary>The dimensions joined by ×, an unknown one as "?": 64×3×3×3.</summary>
    public override string ToString() =>
        Rank == 0 ? "scalar" : string.Join('×', Dimensions.Select(d => d < 0 ? "?" : d.ToString()));
}
