// Compresses the classifier that comes with the repository, from the unlabelled images beside it, and scores the test images before and after.
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

string data = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10");
string teacherFile = Path.Combine(data, "teacher.onnx");
string studentFile = Path.Combine(Directory.CreateDirectory("output").FullName, "shapes10.pq.onnx");

// A model file tells how its images are to be preprocessed, or else its input's size does.
ModelGraph teacher = ModelFile.Load(teacherFile);
ImagePreprocessing preprocessing = ImagePreprocessing.For(teacher);
using ImageSource unlabelled = ImageSource.Open(Path.Combine(data, "unlabelled.zip"));
using ImageSource test = ImageSource.Open(Path.Combine(data, "test.zip"));
var testImages = new ImageSampleSource(test, preprocessing);

// Compress and write. The file is plain ONNX: this library, ML.NET and ONNX Runtime all run it.
CompressionResult result = ModelCompressor.Compress(teacher, new ImageSampleSource(unlabelled, preprocessing), new CompressionOptions { Seed = 1 });
OnnxWriter.Write(result.Student, studentFile);

// Score both on images that compression has not seen.
EvaluationReport before = ModelEvaluator.Evaluate(teacher, testImages);
EvaluationReport after = ModelEvaluator.Evaluate(ModelFile.Load(studentFile), testImages, teacher);

Console.WriteLine(new TextTable("", ">bytes", ">correct", ">of", ">agree with the teacher")
    .Add("teacher", $"{result.Report.DenseBytes:N0}", $"{before.Top1}", $"{before.Images}", "")
    .Add("student", $"{result.Report.PaperBytes:N0}", $"{after.Top1}", $"{after.Images}", $"{after.Agreement}"));
Console.WriteLine($"{result.Report.Ratio:0.0} times smaller, from {result.Report.Images} unlabelled images in {result.Report.Seconds:0.0} s.");
Console.WriteLine($"{studentFile}: {new FileInfo(studentFile).Length:N0} bytes (the table counts as the paper does: weights and codes alone).");
