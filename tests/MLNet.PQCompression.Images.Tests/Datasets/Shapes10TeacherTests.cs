using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Tests.Datasets;

public class Shapes10TeacherTests
{
    private const int Correct = 1935;

    [Fact]
    public void The_teacher_scores_what_the_readme_says()
    {
        ModelGraph teacher = ModelFile.Load(Path.Combine(Shapes10Tests.Folder, "teacher.onnx"));
        using var source = ImageSource.Open(Path.Combine(Shapes10Tests.Folder, "test.zip"));

        EvaluationReport report = ModelEvaluator.Evaluate(teacher, new ImageSampleSource(source, ImagePreprocessing.For(teacher)));

        Assert.Equal(2000, report.Labelled);
        // A sum in another order may turn a tie.
        Assert.InRange(report.Top1!.Value, Correct - 2, Correct + 2);
    }
}
