using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>Compares two networks' outputs image by image and keeps the sums and the worst images.</summary>
/// <param name="kind">What the outputs are.</param>
/// <param name="teacherGivesProbabilities">Whether the teacher ends in a softmax.</param>
/// <param name="studentGivesProbabilities">Whether the student does.</param>
/// <param name="worst">How many of the worst images are kept.</param>
internal sealed class OutputComparison(OutputKind kind, bool teacherGivesProbabilities, bool studentGivesProbabilities, int worst = 0)
{
    /// <summary>Classes of each network that are kept for an image.</summary>
    private const int KeptClasses = 3;

    private readonly PriorityQueue<ImageComparison, double> _worst = new();
    private double[] _teacher = [], _student = [];

    /// <summary>The images compared so far.</summary>
    public int Images { get; private set; }

    /// <summary>Images on which the highest output is the same.</summary>
    public int Agreement { get; private set; }

    /// <summary>The sum of the differences.</summary>
    public double Difference { get; private set; }

    /// <summary>The images that differ most, the worst first; of equal ones the earlier first.</summary>
    public IReadOnlyList<ImageComparison> Worst => [.. _worst.UnorderedItems.Select(i => i.Element).OrderByDescending(i => i.Difference).ThenBy(i => i.Image, StringComparer.Ordinal)];

    /// <summary>Adds an image.</summary>
    /// <exception cref="InvalidModelException">An output is not a finite number.</exception>
    public void Add(string name, ReadOnlySpan<float> teacher, ReadOnlySpan<float> student)
    {
        if (!TensorPrimitives.IsFiniteAll(teacher) || !TensorPrimitives.IsFiniteAll(student))
            throw new InvalidModelException($"The outputs of the {(TensorPrimitives.IsFiniteAll(teacher) ? "compressed model" : "model")} for image '{name}' are not all finite numbers.");
        double difference = kind == OutputKind.Classes ? Divergence(teacher, student) : 1 - Cosine(teacher, student);
        Images++;
        Agreement += TensorPrimitives.IndexOfMax(teacher) == TensorPrimitives.IndexOfMax(student) ? 1 : 0;
        Difference += difference;
        if (_worst.Count < worst || (worst > 0 && difference > _worst.Peek().Difference))
        {
            bool classes = kind == OutputKind.Classes;
            var image = new ImageComparison(name, difference, classes ? ClassProbability.Best(teacher, KeptClasses, teacherGivesProbabilities) : [], classes ? ClassProbability.Best(student, KeptClasses, studentGivesProbabilities) : []);
            if (_worst.Count < worst)
                _worst.Enqueue(image, difference);
            else
                _worst.EnqueueDequeue(image, difference);
        }
    }

    private double Divergence(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student)
    {
        if (_teacher.Length != teacher.Length)
            (_teacher, _student) = (new double[teacher.Length], new double[teacher.Length]);
        ClassProbability.Logarithms(teacher, teacherGivesProbabilities, _teacher);
        ClassProbability.Logarithms(student, studentGivesProbabilities, _student);
        double sum = 0;
        for (int c = 0; c < _teacher.Length; c++)
            sum += Math.Exp(_teacher[c]) * (_teacher[c] - _student[c]);
        return sum;
    }

    /// <summary>The cosine of two vectors; 1 where both are zero and 0 where one is.</summary>
    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double aa = TensorPrimitives.SumOfSquares(a), bb = TensorPrimitives.SumOfSquares(b);
        return aa == 0 && bb == 0 ? 1 : aa == 0 || bb == 0 ? 0 : TensorPrimitives.Dot(a, b) / Math.Sqrt(aa * bb);
    }
}
