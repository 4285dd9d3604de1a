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
    public TensorShape With(int axis, int size) => new(Dimensions.SetItem(axis, size).AsSpan());

    /// <inheritdoc/>
    public bool Equals(TensorShape other) => Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

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
