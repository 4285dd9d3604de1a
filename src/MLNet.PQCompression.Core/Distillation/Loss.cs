using System.Numerics.Tensors;

namespace MLNet.PQCompression.Distillation;

/// <summary>Losses of logits and their gradients.</summary>
public static class Loss
{
    /// <summary>The loss that a target asks for.</summary>
    /// <param name="logits">The student's, count·classes.</param>
    /// <param name="count">Rows of the logits.</param>
    /// <param name="target">The target.</param>
    /// <param name="gradient">Receives the gradient by the logits.</param>
    /// <returns>The mean over the rows.</returns>
    /// <exception cref="ArgumentException">The target does not fit the logits.</exception>
    public static double Compute(ReadOnlySpan<float> logits, int count, TrainingTarget target, Span<float> gradient) => Compute(logits, count, target, gradient, count);

    /// <summary>The part of the loss, and its gradient, that some rows of a batch have.</summary>
    /// <param name="logits">The student's, count·classes.</param>
    /// <param name="count">Rows of the logits.</param>
    /// <param name="target">Their target.</param>
    /// <param name="gradient">Receives the gradient by the logits.</param>
    /// <param name="total">Rows of the whole batch.</param>
    /// <returns>The sum over the rows, divided by those of the whole batch.</returns>
    internal static double Compute(ReadOnlySpan<float> logits, int count, TrainingTarget target, Span<float> gradient, int total) => target switch
    {
        TeacherTarget teacher => Divergence(logits, teacher.Logits.Span, count, teacher.Temperature, gradient, total),
        LabelTarget labels => CrossEntropy(logits, labels.Labels.Span, count, gradient, total),
        OutputTarget matched => SquaredError(logits, matched, count, gradient, total),
        _ => throw new ArgumentException($"There is no loss for a {target?.GetType().Name ?? "null target"}.", nameof(target)),
    };

    /// <summary>T²·KL(softmax(teacher/T) ‖ softmax(student/T)), the mean over the rows; its gradient by the student's logits is T·(q − p)/count.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Divergence(ReadOnlySpan<float> student, ReadOnlySpan<float> teacher, int count, float temperature, Span<float> gradient) =>
        Divergence(student, teacher, count, temperature, gradient, count);

    private static double Divergence(ReadOnlySpan<float> student, ReadOnlySpan<float> teacher, int count, float temperature, Span<float> gradient, int total)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(temperature);
        if (teacher.Length < student.Length)
            throw new ArgumentException($"The teacher gives {teacher.Length} logits where the student gives {student.Length}.", nameof(teacher));
        int classes = Classes(student, count, gradient);
        var p = new float[classes];
        var logP = new float[classes];
        var logQ = new float[classes];
        double loss = 0;
        for (int n = 0; n < count; n++)
        {
            LogSoftmax(teacher.Slice(n * classes, classes), temperature, logP);
            LogSoftmax(student.Slice(n * classes, classes), temperature, logQ);
            TensorPrimitives.Exp(logP, p);
            Span<float> g = gradient.Slice(n * classes, classes);
            for (int c = 0; c < classes; c++)
            {
                loss += (double)p[c] * (logP[c] - logQ[c]);
                g[c] = temperature * (MathF.Exp(logQ[c]) - p[c]) / total;
            }
        }
        return loss * temperature * temperature / total;
    }

    /// <summary>−log softmax(student)[label], the mean over the rows.</summary>
    /// <exception cref="ArgumentException">A label is negative or not below the number of classes.</exception>
    public static double CrossEntropy(ReadOnlySpan<float> student, ReadOnlySpan<int> labels, int count, Span<float> gradient) =>
        CrossEntropy(student, labels, count, gradient, count);

    private static double CrossEntropy(ReadOnlySpan<float> student, ReadOnlySpan<int> labels, int count, Span<float> gradient, int total)
    {
        int classes = Classes(student, count, gradient);
        var logQ = new float[classes];
        double loss = 0;
        for (int n = 0; n < count; n++)
        {
            if ((uint)labels[n] >= (uint)classes)
                throw new ArgumentException($"Image {n} of the batch has the label {labels[n]}; training on labels needs one in [0, {classes}).", nameof(labels));
            LogSoftmax(student.Slice(n * classes, classes), 1, logQ);
            loss -= logQ[labels[n]];
            Span<float> g = gradient.Slice(n * classes, classes);
            for (int c = 0; c < classes; c++)
                g[c] = (MathF.Exp(logQ[c]) - (c == labels[n] ? 1 : 0)) / total;
        }
        return loss / total;
    }

    private static double SquaredError(ReadOnlySpan<float> student, OutputTarget target, int count, Span<float> gradient, int total)
    {
        int length = Classes(student, count, gradient);
        if (target.Values.Length < student.Length || (target.Weights.Length != length && target.Weights.Length < student.Length))
            throw new ArgumentException($"{target.Values.Length} values of the teacher and {target.Weights.Length} weights do not fit {count}·{length} of the student.", nameof(target));
        var weighed = new float[length];
        double loss = 0;
        for (int n = 0; n < count; n++)
        {
            Span<float> g = gradient.Slice(n * length, length);
            TensorPrimitives.Subtract(student.Slice(n * length, length), target.Values.Span.Slice(n * length, length), g);
            TensorPrimitives.Multiply(g, target.Weights.Span.Slice(target.Weights.Length == length ? 0 : n * length, length), weighed);
            loss += TensorPrimitives.Dot(g, weighed);
            TensorPrimitives.Multiply(weighed, 2f / total, g);
        }
        return loss / total;
    }

    private static int Classes(ReadOnlySpan<float> logits, int count, Span<float> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (logits.Length == 0 || logits.Length % count != 0)
            throw new ArgumentException($"{logits.Length} logits are no {count} equal rows.", nameof(logits));
        if (gradient.Length < logits.Length)
            throw new ArgumentException($"The gradient has room for {gradient.Length} of {logits.Length} values.", nameof(gradient));
        return logits.Length / count;
    }

    private static void LogSoftmax(ReadOnlySpan<float> logits, float temperature, Span<float> result)
    {
        TensorPrimitives.Divide(logits, temperature, result);
        TensorPrimitives.Subtract(result, TensorPrimitives.Max<float>(result), result);
        double sum = 0;
        foreach (float x in result)
            sum += Math.Exp(x);
        TensorPrimitives.Subtract(result, (float)Math.Log(sum), result);
    }
}
