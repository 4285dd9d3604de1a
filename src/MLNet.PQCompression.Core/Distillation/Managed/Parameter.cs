using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>An initializer while it is trained: a dense tensor's values or a quantized tensor's codebook.</summary>
internal sealed class Parameter
{
    private readonly Initializer _origin;
    private readonly float[]? _decoded;
    private ushort[]? _codes;
    private bool _stale = true;

    /// <summary>Copies an initializer.</summary>
    public Parameter(string name, Initializer origin, bool trainable)
    {
        _origin = origin;
        Name = name;
        Shape = origin.Shape;
        Trainable = trainable;
        if (origin is QuantizedTensor q)
        {
            Values = q.Codebook.ToArray();
            _codes = q.Codes.ToArray();
            BlockSize = q.BlockSize;
            _decoded = new float[Shape.Count];
        }
        else
            Values = origin.ToDense().ToArray();
        DenseGradient = trainable ? new float[Shape.Count] : [];
        Gradient = !trainable ? [] : _codes is null ? DenseGradient : new float[Values.Length];
    }

    /// <summary>The initializer's name.</summary>
    public string Name { get; }

    /// <summary>The tensor's shape as the operators see it.</summary>
    public TensorShape Shape { get; }

    /// <summary>Whether it is updated.</summary>
    public bool Trainable { get; }

    /// <summary>What is updated: the dense values, or the codebook [k, d].</summary>
    public float[] Values { get; }

    /// <summary>d of a quantized tensor, 0 for a dense one.</summary>
    public int BlockSize { get; }

    /// <summary>The codes of a quantized tensor, empty for a dense one.</summary>
    public ReadOnlySpan<ushort> Codes => _codes;

    /// <summary>Whether it has a codebook.</summary>
    public bool IsQuantized => _codes is not null;

    /// <summary>The gradient by the dense values, which the operations add to.</summary>
    public float[] DenseGradient { get; }

    /// <summary>The gradient by <see cref="Values"/>; see <see cref="FinishGradient"/>.</summary>
    public float[] Gradient { get; }

    /// <summary>Counts the changes of <see cref="Values"/> and codes.</summary>
    public int Version { get; private set; }

    /// <summary>The dense values, decoded where they have changed.</summary>
    public ReadOnlySpan<float> Dense
    {
        get
        {
            if (_decoded is null)
                return Values;
            if (_stale)
            {
                for (int i = 0; i < _codes!.Length; i++)
                    Values.AsSpan(_codes[i] * BlockSize, BlockSize).CopyTo(_decoded.AsSpan(i * BlockSize));
                if (IsTransposed)
                    Initializer.Exchange(_decoded, Initializer.Exchanged(Shape)).CopyTo(_decoded, 0);
            }
            _stale = false;
            return _decoded;
        }
    }

    /// <summary>Tells that <see cref="Values"/> have changed.</summary>
    public void Touch()
    {
        _stale = true;
        Version++;
    }

    /// <summary>Sets the gradients to zero.</summary>
    public void ClearGradient() => DenseGradient.AsSpan().Clear();

    /// <summary>Brings the dense gradient to the codewords: the mean over each codeword's blocks (equation 5).</summary>
    public void FinishGradient()
    {
        if (_codes is not null)
            CodebookGradient.Mean(IsTransposed ? Initializer.Exchange(DenseGradient, Shape) : DenseGradient, _codes, BlockSize, Gradient);
    }

    private bool IsTransposed => _origin is QuantizedTensor { IsTransposed: true };

    /// <summary>Replaces the codes.</summary>
    public void SetCodes(ReadOnlySpan<ushort> codes)
    {
        codes.CopyTo(_codes);
        Touch();
    }

    /// <summary>The initializer as it now is, without sharing memory.</summary>
    public Initializer ToInitializer() => _origin switch
    {
        QuantizedTensor q => q.With([.. Values], [.. _codes!]),
        DenseTensor d => new DenseTensor(Shape, (float[])[.. Values], d.Storage),
        _ => throw new InvalidOperationException($"'{Name}' is of an unknown kind."),
    };
}
