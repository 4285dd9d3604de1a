using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Checkpoints;

/// <summary>A student as a checkpoint: what distinguishes its initializers from the teacher's.</summary>
public static class StudentState
{
    private const string CodebookSuffix = ":codebook", TransposedSuffix = ":codebook.transposed";

    /// <summary>The checkpoint of a student.</summary>
    /// <param name="teacher">The graph that it was made from.</param>
    /// <param name="student">The student; initializers that it shares with the teacher are left out.</param>
    /// <param name="stage">The stage that was running.</param>
    /// <param name="position">How far it got.</param>
    public static Checkpoint Capture(ModelGraph teacher, ModelGraph student, string stage, long position)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(student);
        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        var codes = new Dictionary<string, ushort[]>(StringComparer.Ordinal);
        foreach ((string name, Initializer initializer) in student.Initializers)
        {
            if (teacher.Initializers.TryGetValue(name, out Initializer? original) && ReferenceEquals(original, initializer))
                continue;
            if (initializer is QuantizedTensor q)
                (values[name + (q.IsTransposed ? TransposedSuffix : CodebookSuffix)], codes[name]) = (q.Codebook.ToArray(), q.Codes.ToArray());
            else
                values[name] = initializer.ToDense().ToArray();
        }
        return new(stage, position, values, codes);
    }

    /// <summary>The student of a checkpoint.</summary>
    /// <exception cref="InvalidDataException">The checkpoint does not fit the teacher.</exception>
    public static ModelGraph Restore(ModelGraph teacher, Checkpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        ArgumentNullException.ThrowIfNull(checkpoint);
        var changes = new Dictionary<string, Initializer>(StringComparer.Ordinal);
        try
        {
            foreach ((string name, ushort[] codes) in checkpoint.Codes)
            {
                TensorShape shape = teacher.Initializers[name].Shape;
                bool isTransposed = checkpoint.Values.TryGetValue(name + TransposedSuffix, out float[]? codebook);
                changes[name] = new QuantizedTensor(shape, checked((int)(shape.Count / codes.Length)), codebook ?? checkpoint.Values[name + CodebookSuffix], codes, isTransposed);
            }
            foreach ((string name, float[] values) in checkpoint.Values)
                if (!name.EndsWith(CodebookSuffix, StringComparison.Ordinal) && !name.EndsWith(TransposedSuffix, StringComparison.Ordinal))
                    changes[name] = new DenseTensor(teacher.Initializers[name].Shape, values);
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or DivideByZeroException)
        {
            throw new InvalidDataException($"The checkpoint does not fit model '{teacher.Name}': {e.Message}", e);
        }
        return teacher.WithInitializers(changes);
    }
}
